// Fraud: card payments that a person has to look at, why, and what they turned out to be. The word said here is what
// models learn from.

import { act, get, query } from "../api.js";
import { ask } from "../parts/dialog.js";
import { button, field } from "../parts/field.js";
import { fill, h } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { go, href } from "../router.js";
import { links, refill, split } from "../parts/split.js";
import { empty, failure, load, loading } from "../parts/states.js";
import { session, whose } from "../session.js";
import { ago } from "../parts/time.js";
import { attempt, toast } from "../parts/toast.js";
import { badge, percent, sentence } from "../parts/words.js";

const VIEWS = {
  review: { title: "To look at", asks: { band: "review", undecided: true }, nothing: "Nothing waits" },
  block: { title: "Blocked", asks: { band: "block" }, nothing: "Nothing was blocked" },
  all: { title: "All", asks: {}, nothing: "No payment was decided about" },
};
const BANDS = { allow: ["allowed", "good"], review: ["to look at", "warn"], block: ["blocked", "bad"] };
const OUTCOMES = { fraud: ["fraud", "bad"], genuine: ["genuine", "good"] };
const PAGE = 50;

export async function show({ host, route, signal }) {
  const place = split({ title: "Fraud", back: href("fraud"), listLabel: "Payments" });
  const list = new PaymentList(place, signal);
  place.element
    .querySelector(".page-head")
    .append(
      h(
        "button",
        { type: "button", class: "icon-button", "aria-label": "Look again", on: { click: () => list.refresh() } },
        icon("refresh"),
      ),
    );
  fill(host, place.element);
  const update = async ({ parts: [id], query: { view = "review" } }) => {
    const known = view in VIEWS ? view : "review";
    place.choose(id ?? null);
    const listed = list.show(known);
    if (id) await showPayment(place, id, signal, list);
    else fill(place.detail, empty("Choose a payment", "Why it was stopped opens here, and what may be said about it."));
    await listed;
  };
  await update(route);
  return { update };
}

class PaymentList {
  #view = null;
  #found = [];
  #more = false;

  constructor(place, signal) {
    Object.assign(this, { place, signal });
    this.tabs = h("nav", { class: "tabs", "aria-label": "Payments" });
    this.rows = h("div", { class: "list-rows" });
    fill(place.list, this.tabs, this.rows);
  }

  async show(view) {
    if (this.#view === view) return this.place.mark();
    this.#view = view;
    this.#found = [];
    fill(this.rows, loading("Loading payments"));
    await this.refresh();
  }

  /** Ask for the first page anew. */
  async refresh() {
    const view = this.#view;
    this.#drawTabs();
    try {
      const page = await this.#page(null);
      if (this.signal.aborted || view !== this.#view) return;
      [this.#found, this.#more] = [page.data, page.has_more];
      this.#draw();
    } catch (problem) {
      if (!this.signal.aborted && view === this.#view)
        fill(
          this.rows,
          failure(problem, () => this.refresh()),
        );
    }
  }

  /** Somebody said what a payment was. Where it waited, it waits no longer: the address of what to look at next. */
  said(decision) {
    const place = this.#found.findIndex((each) => each.transaction_id === decision.transaction_id);
    const waited = this.#view === "review" && place >= 0;
    if (place >= 0) this.#found.splice(place, 1, ...(waited ? [] : [decision]));
    this.#draw();
    if (!waited) return address(this.#view, decision.transaction_id);
    const next = this.#found[Math.min(place, this.#found.length - 1)];
    return address("review", next?.transaction_id);
  }

  #page(before) {
    return get(query("/api/fraud/decisions", { ...VIEWS[this.#view].asks, limit: PAGE, before }), {
      signal: this.signal,
    });
  }

  async #next() {
    const page = await this.#page(this.#found.at(-1).number);
    this.#found = [...this.#found, ...page.data];
    this.#more = page.has_more;
    this.#draw();
  }

  #drawTabs() {
    refill(
      this.tabs,
      Object.entries(VIEWS).map(([name, { title }]) =>
        h("a", { href: address(name), "aria-current": name === this.#view ? "true" : null }, title),
      ),
    );
  }

  #draw() {
    const nothing = empty(VIEWS[this.#view].nothing, "Payments come from the company’s own systems and from a stream.");
    refill(
      this.rows,
      links(this.#found, (each) => this.#row(each), nothing),
      this.#more && button("Show more", (made) => attempt(made, () => this.#next())),
    );
    this.place.mark();
  }

  #row(decision) {
    return {
      id: decision.transaction_id,
      address: address(this.#view, decision.transaction_id),
      content: [
        h("span", { class: "row-title" }, `${money(decision.amount)} · ${decision.card}`),
        h(
          "span",
          { class: "row-note" },
          ago(decision.at),
          h("span", {}, decision.terminal),
          decision.outcome ? badge(...OUTCOMES[decision.outcome]) : badge(...BANDS[decision.band]),
        ),
      ],
    };
  }
}

async function showPayment(place, id, signal, list) {
  const body = h("div");
  const said = (decision) => {
    const next = list.said(decision);
    if (next !== location.hash) return go(next);
    fill(body, detail(decision, said));
    body.querySelector("h2").focus();
  };
  fill(place.detail, place.back(), body);
  await load(
    body,
    signal,
    () => get(`/api/fraud/decisions/${encodeURIComponent(id)}`, { signal }),
    (decision) => detail(decision, said),
    "Loading the payment",
  );
  body.querySelector("h2")?.focus();
}

function detail(decision, said) {
  return h(
    "article",
    { class: "detail" },
    h(
      "header",
      { class: "detail-head" },
      h(
        "p",
        { class: "row-note" },
        badge(...BANDS[decision.band]),
        decision.outcome && badge(...OUTCOMES[decision.outcome]),
        h("code", {}, decision.transaction_id),
        ago(decision.at),
      ),
      h("h2", { tabindex: "-1" }, `${money(decision.amount)} with the card ${decision.card}`),
      h(
        "p",
        { class: "reason" },
        decision.probability === null
          ? "No model is in force: the rules decided alone."
          : `The model takes it for fraud with a chance of ${chance(decision.probability)}.`,
      ),
    ),
    verdict(decision, said),
    h("section", { class: "block" }, h("h3", {}, "Why"), why(decision.reasons)),
    h(
      "section",
      { class: "block" },
      h("h3", {}, "From now on"),
      h(
        "div",
        { class: "actions" },
        button("Block the card", () => list("blocked-cards", decision.card, "Block the card", true)),
        button("Trust the card", () => list("trusted-cards", decision.card, "Trust the card")),
        button("Block the terminal", () => list("blocked-terminals", decision.terminal, "Block the terminal", true)),
      ),
    ),
    h(
      "section",
      { class: "block" },
      h("h3", {}, "Facts"),
      terms([
        ["Terminal", decision.terminal],
        ["Decided", ago(decision.decided_at)],
        ["Rules that spoke", decision.rules.map(sentence).join(", ") || "None"],
        ["Model", decision.model ? h("code", {}, decision.model.slice(0, 12)) : "None"],
      ]),
      h("details", {}, h("summary", {}, "Every feature, as it was then"), features(decision)),
    ),
  );
}

/** What was said about the payment, and the two things that may be said. */
function verdict(decision, said) {
  const say = (outcome, text, kind) =>
    decision.outcome !== outcome &&
    button(text, (made) => attempt(made, () => report(decision, outcome, said)), { kind });
  return h(
    "section",
    { class: "block" },
    decision.outcome &&
      h(
        "p",
        { class: "row-note" },
        h("strong", {}, decision.outcome === "fraud" ? "It was fraud." : "It was genuine."),
        h("span", {}, decision.outcome_by === `key:${session.me.key_id}` ? "Said by you" : `Said by ${whose(decision.outcome_by)}`),
        ago(decision.outcome_at),
      ),
    h("div", { class: "actions decide" }, say("fraud", "It was fraud", "danger"), say("genuine", "It was genuine", "primary")),
  );
}

async function report(decision, outcome, said) {
  const path = `/api/fraud/decisions/${encodeURIComponent(decision.transaction_id)}/outcome`;
  const told = await act(path, { outcome });
  toast(outcome === "fraud" ? "Kept as fraud. Models learn from it." : "Kept as genuine. Models learn from it.");
  said(told);
}

/** Put a card or a terminal on a list, once somebody has said why. */
function list(which, name, title, danger = false) {
  const reason = h("textarea", { rows: 3, maxlength: 500 });
  return ask({
    title,
    danger,
    action: title,
    explain: `Every later payment ${which.endsWith("terminals") ? "at" : "with"} ${name} is ${
      which.startsWith("blocked") ? "blocked" : "allowed"
    }, whatever the model says. The API takes it off the list again.`,
    body: field("Reason", reason),
    confirm: async () => {
      if (!reason.value.trim()) throw new Error("A few words are needed.");
      await act(`/api/fraud/lists/${which}`, { name, reason: reason.value.trim() });
      toast(`${name} is on the list.`);
    },
  });
}

function why(reasons) {
  if (!reasons.length) return h("p", { class: "faint" }, "Nothing speaks for fraud.");
  const most = Math.max(...reasons.map((each) => each.weight), 0);
  return h(
    "ul",
    { class: "grounds" },
    reasons.map((each) =>
      h(
        "li",
        {},
        h("p", {}, capital(each.text)),
        each.weight > 0
          ? h("div", { class: "meter", "aria-hidden": "true", style: { "--share": String(each.weight / most) } })
          : h("p", { class: "faint small" }, "A rule of the company"),
      ),
    ),
  );
}

function features({ features: each, features_version: version }) {
  const said = (value) => (value === null ? "not known" : value.toLocaleString(undefined, { maximumFractionDigits: 4 }));
  return terms([["Version", version], ...Object.entries(each).map(([name, value]) => [sentence(name), said(value)])]);
}

function terms(rows) {
  return h(
    "dl",
    { class: "terms" },
    rows.map(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]),
  );
}

function address(view, id) {
  return href("fraud", id === undefined ? [] : [id], view === "review" ? {} : { view });
}

function chance(probability) {
  return probability < 0.01 ? "less than 1%" : percent(probability);
}

/** An exact decimal, with its thousands set apart; whole digits are never put through a float. */
function money(amount) {
  const [whole, cents] = amount.split(".");
  return `${BigInt(whole).toLocaleString()}.${cents}`;
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
