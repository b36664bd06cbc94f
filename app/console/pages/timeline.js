// Timeline: threads, the turns of one, and the steps of a turn.

import { get, query } from "../api.js";
import { button } from "../parts/field.js";
import { fill, h } from "../parts/dom.js";
import { href } from "../router.js";
import { backLink, links, split } from "../parts/split.js";
import { empty, load, loading, failure } from "../parts/states.js";
import { ago, duration } from "../parts/time.js";
import { waterfall } from "../parts/waterfall.js";
import { badge, status } from "../parts/words.js";

const PAGE = 50;

export async function show({ host, route, signal }) {
  const place = split({ title: "Timeline", back: href("timeline"), listLabel: "Conversations" });
  fill(host, place.element);
  const list = new Threads(place, signal);
  const view = new Turns(place, signal);
  const update = async ({ parts, query: { owner } }) => {
    if (parts[0] === "turn" && parts[1]) return view.turn(parts[1]);
    place.choose(parts[0] ?? null);
    if (parts[0]) return view.thread(parts[0], owner);
    fill(
      place.detail,
      empty("Choose a conversation", "Its turns open here: what was done for each, and how long it took."),
    );
  };
  await Promise.all([list.refresh(), update(route)]);
  return { update };
}

class Threads {
  #found = [];

  constructor(place, signal) {
    Object.assign(this, { place, signal });
    fill(place.list, loading("Loading conversations"));
  }

  async refresh(after = null) {
    try {
      const page = await get(query("/api/threads", { limit: PAGE, after }), { signal: this.signal });
      this.#found = after ? [...this.#found, ...page.data] : page.data;
      const row = (thread) => ({
        id: thread.id,
        address: href("timeline", [thread.id], { owner: thread.owner }),
        content: [
          h("span", { class: "row-title" }, thread.last || "Nothing said yet"),
          h("span", { class: "row-note" }, status(thread.status), ago(thread.updated_at), h("span", {}, thread.owner)),
        ],
      });
      const more = page.has_more && button("Show more", () => this.refresh(this.#found.at(-1).cursor));
      fill(this.place.list, links(this.#found, row, empty("No conversations yet")), more);
      this.place.mark();
    } catch (problem) {
      if (!this.signal.aborted)
        fill(
          this.place.list,
          failure(problem, () => this.refresh()),
        );
    }
  }
}

class Turns {
  constructor(place, signal) {
    Object.assign(this, { place, signal });
  }

  async thread(threadId, owner) {
    const body = h("div", { class: "turns" });
    fill(
      this.place.detail,
      this.place.back(),
      h(
        "header",
        { class: "detail-head" },
        h("p", { class: "row-note" }, h("code", {}, threadId), owner && h("span", {}, owner)),
        h("h2", { tabindex: "-1" }, "Turns"),
      ),
      body,
    );
    this.place.detail.querySelector("h2").focus();
    const path = query("/api/timelines", { thread_id: threadId, owner, limit: 100 });
    await load(
      body,
      this.signal,
      () => get(path, { signal: this.signal }),
      ({ data }) => {
        if (!data.length) return empty("No turns", "Nothing was asked in this conversation, or it is gone.");
        const turns = [...data].sort((a, b) => b.started_at.localeCompare(a.started_at));
        return h(
          "ul",
          { class: "rows cards-list" },
          turns.map((turn) => h("li", {}, this.#row(turn))),
        );
      },
    );
  }

  #row(turn) {
    return h(
      "a",
      { class: "row", href: href("timeline", ["turn", turn.id]) },
      h("span", { class: "row-title" }, asked(turn)),
      h("span", { class: "row-note clip" }, turn.answer),
      h(
        "span",
        { class: "row-note" },
        status(turn.status),
        ago(turn.started_at),
        h("span", { class: "number" }, duration(turn.ms)),
        turn.engine && h("span", {}, turn.engine),
      ),
    );
  }

  async turn(turnId) {
    this.place.element.classList.add("chosen");
    const body = h("div");
    fill(this.place.detail, body);
    await load(
      body,
      this.signal,
      () => get(`/api/timelines/${encodeURIComponent(turnId)}`, { signal: this.signal }),
      (turn) => this.#turn(turn),
      "Loading the turn",
    );
    body.querySelector("h2")?.focus();
  }

  #turn(turn) {
    this.place.choose(turn.thread_id);
    const back = backLink(href("timeline", [turn.thread_id], { owner: turn.owner }), "All turns of this conversation");
    back.classList.add("always");
    const heading = Object.entries(turn.heading ?? {}).filter(([, value]) => value);
    const facts = [
      ["Started", ago(turn.started_at)],
      ["Took", duration(turn.ms)],
      ["Over", turn.source],
      ["Engine", turn.engine || "none was needed"],
      ["Tokens", `${tokens(turn.usage.prompt_tokens)} read, ${tokens(turn.usage.completion_tokens)} written`],
      ["Heading", heading.map(([name, value]) => `${name}: ${value}`).join(" · ") || "–"],
      ["Owner", turn.owner],
    ];
    return h(
      "article",
      { class: "detail" },
      back,
      h(
        "header",
        { class: "detail-head" },
        h(
          "p",
          { class: "row-note" },
          h("code", {}, turn.id),
          status(turn.status),
          turn.declined && badge("declined", "warn"),
        ),
        h("h2", { tabindex: "-1" }, asked(turn)),
      ),
      h("blockquote", { class: "message" }, turn.answer || "No answer yet."),
      waterfall(turn),
      h(
        "section",
        { class: "block" },
        h("h3", {}, "Facts"),
        h(
          "dl",
          { class: "terms" },
          facts.map(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]),
        ),
      ),
    );
  }
}

/** What was asked; the server's own runs, which tell what was decided, were asked nothing. */
function asked(turn) {
  return turn.question || "The conversation was told what was decided";
}

function tokens(number) {
  return number.toLocaleString();
}
