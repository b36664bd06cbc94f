// Chat: threads at the side, one conversation, and where to write.

import { act, get, query } from "../api.js";
import { composer } from "../parts/composer.js";
import { Conversation } from "../parts/conversation.js";
import { button } from "../parts/field.js";
import { fill, h } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { href, settle } from "../router.js";
import { atLeast, ownOwner } from "../session.js";
import { links, refill, split } from "../parts/split.js";
import { empty, failure, loading } from "../parts/states.js";
import { ago } from "../parts/time.js";
import { complain } from "../parts/toast.js";
import { badge, status } from "../parts/words.js";

const PAGE = 30;
const IDEAS = ["How do I return something?", "Where is my order?", "I was charged twice."];
const STAFF_IDEAS = ["How do I return something?", "What should I reorder?"];

export async function show({ host, route, signal }) {
  const place = split({
    title: "Chat",
    back: href("chat"),
    listLabel: "Your conversations",
    actions: [h("a", { class: "button small", href: href("chat", ["new"]), "data-new": true }, icon("plus"), "New")],
  });
  place.element.classList.add("chat");
  fill(host, place.element);
  const threads = new Threads(place, signal);
  const talk = new Talk(place, signal, () => threads.refresh());
  const update = async ({ parts: [id] }) => {
    place.choose(id ?? null);
    await talk.open(id && id !== "new" ? id : null);
  };
  const side = threads.refresh();
  await update(route);
  await side;
  return { update };
}

/** The list at the side. */
class Threads {
  #found = [];

  constructor(place, signal) {
    Object.assign(this, { place, signal });
    fill(place.list, loading("Loading your conversations"));
  }

  async refresh(after = null) {
    try {
      const page = await get(query("/api/threads", { owner: ownOwner(), limit: PAGE, after }), { signal: this.signal });
      this.#found = after ? [...this.#found, ...page.data] : page.data;
      this.#draw(page.has_more);
    } catch (problem) {
      if (!this.signal.aborted)
        fill(
          this.place.list,
          failure(problem, () => this.refresh()),
        );
    }
  }

  #draw(more) {
    const row = (thread) => ({
      id: thread.id,
      address: href("chat", [thread.id]),
      content: [
        h("span", { class: "row-title" }, thread.last || "Nothing said yet"),
        h("span", { class: "row-note" }, ago(thread.updated_at), standing(thread)),
      ],
    });
    const next = more && button("Show more", () => this.refresh(this.#found.at(-1).cursor));
    refill(this.place.list, links(this.#found, row, empty("No conversations yet", "What you ask is kept here.")), next);
    this.place.mark();
  }
}

/** What there is to say of a conversation at rest: nothing, unless it waits. */
function standing({ status: word }) {
  if (word === "idle") return null;
  return word === "interrupted" ? badge("waits for a person", "warn") : status(word);
}

/** The conversation that is open. */
class Talk {
  #conversation = null;
  #ending = new AbortController();

  constructor(place, signal, changed) {
    Object.assign(this, { place, signal, changed });
    signal.addEventListener("abort", () => this.#ending.abort());
    this.composer = composer({
      send: (message) => this.#send(message),
      stop: () => this.#conversation?.stop().catch(complain),
    });
  }

  async open(threadId) {
    this.#ending.abort();
    this.#ending = new AbortController();
    this.#conversation = null;
    this.composer.busy(false);
    this.scroller = h("div", { class: "talk-scroll", tabindex: "0", role: "region", "aria-label": "Messages" });
    this.body = h("div", { class: "talk-body" });
    this.scroller.append(this.body);
    fill(
      this.place.detail,
      h(
        "header",
        { class: "detail-bar" },
        this.place.back(),
        h("a", { class: "button small", href: href("chat", ["new"]) }, icon("plus"), "New"),
      ),
      this.scroller,
      this.composer.element,
    );
    if (threadId) await this.#restore(threadId);
    else this.#welcome();
    if (matchMedia("(min-width: 60rem)").matches) this.composer.focus();
  }

  async #restore(threadId) {
    const conversation = this.#begin(threadId);
    fill(this.body, loading("Loading the conversation"));
    try {
      const opened = conversation.open();
      fill(this.body, conversation.parts);
      await opened;
      if (conversation.isEmpty) this.#welcome();
    } catch (problem) {
      if (!conversation.signal.aborted)
        fill(
          this.body,
          failure(problem, () => this.open(threadId)),
        );
    }
  }

  #begin(threadId) {
    const busy = (working) => {
      this.composer.busy(working);
      if (!working) this.changed();
    };
    const { signal } = this.#ending;
    this.#conversation = new Conversation({ threadId, signal, busy, scroller: this.scroller });
    return this.#conversation;
  }

  async #send(message) {
    // What was said stands there at once, however long the server takes to begin.
    const conversation = this.#conversation ?? this.#begin(null);
    if (conversation.isEmpty) fill(this.body, conversation.parts);
    const taken = await conversation.say(message, () => this.#create());
    if (!taken && conversation === this.#conversation) this.composer.giveBack(message);
  }

  async #create() {
    const { thread_id: made } = await act("/threads", {}, { signal: this.#ending.signal });
    settle(href("chat", [made]));
    this.place.choose(made);
    return made;
  }

  #welcome() {
    const ideas = (atLeast("staff") ? STAFF_IDEAS : IDEAS).map((idea) =>
      button(idea, () => this.composer.take(idea), { kind: "idea" }),
    );
    fill(
      this.body,
      h(
        "div",
        { class: "welcome" },
        h("h2", {}, "What can I look up for you?"),
        h(
          "p",
          { class: "faint" },
          "Answers come from the company’s documents and records, with their sources. ",
          "What they do not say, I will not either.",
        ),
        h("div", { class: "ideas" }, ideas),
      ),
    );
  }
}
