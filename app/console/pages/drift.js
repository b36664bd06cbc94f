// Drift: whether the served models still meet, and achieve, what they were made for.

import { Attempts, get, query } from "../api.js";
import { fill, h } from "../parts/dom.js";
import { button } from "../parts/field.js";
import { interval } from "../parts/interval.js";
import { showReport } from "../parts/report_frame.js";
import { links, split } from "../parts/split.js";
import { empty, failure, load, loading } from "../parts/states.js";
import { ago, onDay } from "../parts/time.js";
import { attempt } from "../parts/toast.js";
import { badge, sentence } from "../parts/words.js";
import { go, href } from "../router.js";

const PAGE = 50;
const MODEL = "fraud";
const BOUND = 0.1;
const STATES = {
  quiet: ["nothing moved", "good"],
  drift: ["something moved", "bad"],
  unknown: ["nothing can be said", "warn"],
};

export async function show({ host, route, signal }) {
  const attempts = new Attempts();
  const look = button("Look now", (clicked) =>
    attempt(clicked, async () => {
      const made = await attempts.act(`/api/drift/${MODEL}/check`);
      await refresh();
      go(href("drift", [made.id]));
    }),
  );
  const place = split({ title: "Drift", back: href("drift"), actions: [look], listLabel: "Checks" });
  fill(host, place.element);
  let found = [];
  const refresh = async (after = null) => {
    try {
      const page = await get(query("/api/drift", { limit: PAGE, after }), { signal });
      found = after ? [...found, ...page.data] : page.data;
      const more = page.has_more && button("Show more", () => refresh(found.at(-1).id));
      const nothing = empty("No checks yet", "A model is looked at once it is the champion; or look now.");
      fill(place.list, links(found, row, nothing), more);
      place.mark();
    } catch (problem) {
      if (!signal.aborted)
        fill(
          place.list,
          failure(problem, () => refresh()),
        );
    }
  };
  const update = async ({ parts: [id] }) => {
    place.choose(id ?? null);
    if (!id) return fill(place.detail, empty("Choose a check", "What it found opens here."));
    const body = h("div");
    fill(place.detail, place.back(), body);
    await load(
      body,
      signal,
      () => get(`/api/drift/${encodeURIComponent(id)}`, { signal }),
      (check) => detail(check, signal),
      "Loading the check",
    );
    body.querySelector("h2")?.focus();
  };
  fill(place.list, loading("Loading checks"));
  await refresh();
  await update(route);
  return { update };
}

function row(check) {
  const [words, mood] = STATES[check.state];
  return {
    id: check.id,
    address: href("drift", [check.id]),
    content: [
      h("span", { class: "row-title" }, `${sentence(check.model)} ${check.version ?? ""}`),
      h(
        "span",
        { class: "row-note" },
        ago(check.at),
        badge(check.findings.length ? `${check.findings.length} moved` : words, mood),
      ),
    ],
  };
}

function detail(check, signal) {
  const frame = h("div");
  const [words, mood] = STATES[check.state];
  const version = check.version ? `version ${check.version}` : "no version";
  const moved = new Set(check.findings.map((each) => each.name));
  return h(
    "article",
    { class: "detail" },
    h(
      "header",
      { class: "detail-head" },
      h("p", { class: "row-note" }, h("code", {}, check.id), ago(check.at), badge(words, mood)),
      h("h2", { tabindex: "-1" }, `${sentence(check.model)}, ${version}`),
      h(
        "p",
        { class: "faint" },
        onDay(check.begin),
        " to ",
        onDay(check.end),
        `: ${check.rows.toLocaleString()} decisions, ${check.matured.toLocaleString()} with a known outcome.`,
      ),
    ),
    check.findings.length > 0 && block("What moved", h("ul", { class: "metrics" }, check.findings.map(finding))),
    check.unknown.map((each) => h("p", { class: "faint" }, `Nothing can be said about ${each}.`)),
    check.figures.length > 0 && block("What it achieves", h("ul", { class: "metrics" }, check.figures.map(figure))),
    check.columns.length > 0 &&
      block(
        "What it meets",
        h("p", { class: "faint" }, `The stability index beyond chance; the hollow mark is its bound, ${BOUND}.`),
        h("ul", { class: "metrics" }, columns(check.columns, moved)),
      ),
    block(
      "The report in full",
      button("Show it", (made) =>
        attempt(made, () =>
          showReport(`/api/drift/${encodeURIComponent(check.id)}/report`, `Drift of ${check.model}`, frame, signal),
        ),
      ),
      frame,
    ),
  );
}

function block(title, ...children) {
  return h("section", { class: "block" }, h("h3", {}, title), children);
}

function finding(each) {
  return h(
    "li",
    { class: "metric" },
    h("p", { class: "metric-head" }, badge(each.about, "bad"), h("span", {}, each.words)),
    h(
      "p",
      { class: "faint small" },
      "Since ",
      ago(each.since),
      each.judged ? "" : "; the last check could not look at it, so it stands as it stood",
    ),
  );
}

function figure(each) {
  // What is kept of a calibration is the logarithm of how many frauds there were to how many were expected.
  const plain = (value) => (each.name === "calibration" ? Math.exp(value) : value);
  const label = each.name === "calibration" ? "frauds to frauds expected" : each.name;
  const [now, usual, low, high] = [each.now, each.usual, each.low, each.high].map(plain);
  return measured(
    label,
    now.toFixed(3),
    `usual ${low.toFixed(3)} – ${high.toFixed(3)}`,
    interval({ value: now, low: null, high: null }, { value: usual, low, high }),
  );
}

function columns(all, moved) {
  const beyond = (each) => Math.max(each.psi - each.psi_chance, 0);
  const most = Math.max(2 * BOUND, ...all.map(beyond));
  return [...all]
    .sort((a, b) => beyond(b) - beyond(a))
    .map((each) =>
      measured(
        each.name.replaceAll("_", " "),
        beyond(each).toFixed(3),
        moved.has(each.name) ? "moved" : "",
        h(
          "div",
          { class: "interval", "aria-hidden": "true" },
          h("span", { class: "span", style: { "--from": "0", "--to": String(beyond(each) / most) } }),
          h("span", { class: "point before", style: { "--at": String(BOUND / most) } }),
        ),
      ),
    );
}

function measured(name, value, note, picture) {
  return h(
    "li",
    { class: "metric" },
    h(
      "p",
      { class: "metric-head" },
      h("code", {}, name),
      h("strong", { class: "number" }, value),
      h("span", { class: "faint small number" }, note),
    ),
    picture,
  );
}
