// A ticket to work on: what was said, whose it is, what may be done, and what the assistant suggests.

import { Attempts, get } from "../api.js";
import { ask } from "./dialog.js";
import { fill, h } from "./dom.js";
import { button, choice, field } from "./field.js";
import { showOrders } from "./orders.js";
import { href } from "../router.js";
import { session, whose } from "../session.js";
import { failure, loading } from "./states.js";
import { Suggestions } from "./suggestions.js";
import { ago } from "./time.js";
import { attempt, toast } from "./toast.js";
import { badge, sentence, status } from "./words.js";

const TEAMS = ["support", "billing", "fraud", "logistics", "technical"];
const CHANGES = {
  open: [
    ["pending", "Wait for customer"],
    ["resolved", "Resolve"],
    ["closed", "Close"],
  ],
  pending: [
    ["open", "Reopen"],
    ["resolved", "Resolve"],
    ["closed", "Close"],
  ],
  resolved: [
    ["open", "Reopen"],
    ["closed", "Close"],
  ],
  closed: [["open", "Reopen"]],
};

export class TicketDetail {
  #ending = new AbortController();
  #attempts = new Attempts();
  #head = h("div");
  #notes = h("section", { class: "block" });

  constructor({ id, place, signal, wanted, changed }) {
    Object.assign(this, { id, place, changed, wanted });
    signal.addEventListener("abort", () => this.stop());
  }

  stop() {
    this.#ending.abort();
  }

  async show() {
    const { signal } = this.#ending;
    const host = this.place.detail;
    fill(host, this.place.back(), loading("Loading the ticket"));
    try {
      const ticket = await get(this.#path(), { signal });
      if (signal.aborted) return;
      const orders = h("section", { class: "block" });
      const performed = () => Promise.all([this.refresh(), showOrders(orders, ticket, signal)]);
      const advice = new Suggestions({
        ticket,
        signal,
        attempts: this.#attempts,
        update: (change) => this.#update(change),
        performed,
      });
      fill(
        host,
        this.place.back(),
        h(
          "div",
          { class: "ticket" },
          h("div", { class: "ticket-main" }, this.#head, this.#message(ticket)),
          advice.element,
          h("div", { class: "ticket-more" }, this.#notes, orders),
        ),
      );
      this.#draw(ticket);
      host.querySelector("h2")?.focus();
      await Promise.all([advice.show(), showOrders(orders, ticket, signal)]);
    } catch (problem) {
      if (!signal.aborted)
        fill(
          host,
          this.place.back(),
          failure(problem, () => this.show()),
        );
    }
  }

  async refresh() {
    this.#draw(await get(this.#path(), { signal: this.#ending.signal }));
    this.changed();
  }

  #path() {
    return `/api/tickets/${encodeURIComponent(this.id)}`;
  }

  async #update(change) {
    const answer = await this.#attempts.act(`${this.#path()}/update`, change);
    if (answer.object === "approval") toast(`This waits for an approval: ${answer.id}.`);
    else this.#draw(answer);
    this.changed();
  }

  #draw(ticket) {
    this.ticket = ticket;
    const working = this.#head.contains(document.activeElement) || this.#notes.contains(document.activeElement);
    const changes = CHANGES[ticket.status].map(([value, text]) =>
      button(text, (made) => attempt(made, () => this.#update({ status: value })), {
        kind: value === "resolved" ? "primary" : "",
      }),
    );
    fill(
      this.#head,
      h(
        "header",
        { class: "detail-head" },
        h(
          "p",
          { class: "row-note" },
          h("code", {}, ticket.id),
          status(ticket.status),
          status(ticket.priority),
          badge(ticket.category),
          ticket.team && badge(ticket.team),
        ),
        h("h2", { tabindex: "-1" }, ticket.subject),
        h(
          "p",
          { class: "faint" },
          ticket.customer_id ?? "No customer",
          ticket.order_id && ` · ${ticket.order_id}`,
          " · ",
          ago(ticket.created),
          " · ",
          ticket.assignee ? `assigned to ${whose(ticket.assignee)}` : "assigned to nobody",
        ),
        ticket.duplicate_of &&
          h(
            "p",
            {},
            "Duplicate of ",
            h("a", { href: href("inbox", [ticket.duplicate_of], { status: this.wanted }) }, ticket.duplicate_of),
          ),
      ),
      h(
        "div",
        { class: "actions" },
        changes,
        this.#assign(ticket),
        button("Escalate", () => this.#escalate()),
      ),
    );
    this.#drawNotes(ticket);
    // What had the focus is gone, so it goes to what has changed.
    if (working) this.#head.querySelector("h2").focus();
  }

  #assign(ticket) {
    if (ticket.assignee === session.me.key_id) return button("Assign to other", () => this.#assignOther());
    return [
      button("Take it", (made) => attempt(made, () => this.#update({ assignee: session.me.key_id }))),
      button("Assign", () => this.#assignOther()),
    ];
  }

  async #assignOther() {
    const who = h("input", { type: "text", maxlength: 64, autocomplete: "off", value: this.ticket.assignee ?? "" });
    await ask({
      title: "Assign the ticket",
      body: field("To whom", who, "A name or the id of a key."),
      action: "Assign",
      confirm: () => this.#update({ assignee: who.value.trim() }),
    });
  }

  async #escalate() {
    const team = choice(
      TEAMS.map((each) => [each, sentence(each)]),
      this.ticket.team ?? "support",
    );
    const reason = h("textarea", { rows: 3, maxlength: 10000 });
    await ask({
      title: "Hand over to a team",
      body: h("div", { class: "fields" }, field("Team", team), field("Reason", reason)),
      action: "Hand over",
      confirm: async () => {
        if (!reason.value.trim()) throw new Error("Say why: the team reads it first.");
        const answer = await this.#attempts.act(`${this.#path()}/escalate`, {
          team: team.value,
          reason: reason.value.trim(),
        });
        if (answer.object === "ticket") this.#draw(answer);
        this.changed();
      },
    });
  }

  #message(ticket) {
    return h(
      "section",
      { class: "block" },
      h("h3", {}, "What the customer says"),
      h("blockquote", { class: "message" }, ticket.message),
    );
  }

  #drawNotes(ticket) {
    const notes = ticket.notes.map((note) =>
      h(
        "li",
        {},
        h("p", { class: "row-note" }, ago(note.at), note.team && badge(note.team)),
        h("p", { class: "prewrap" }, note.text),
      ),
    );
    const text = h("textarea", { rows: 2, maxlength: 10000 });
    const add = button(
      "Add note",
      (made) => text.value.trim() && attempt(made, () => this.#update({ note: text.value.trim() })),
    );
    fill(
      this.#notes,
      h("h3", {}, "Notes"),
      notes.length ? h("ol", { class: "notes" }, notes) : h("p", { class: "faint" }, "No notes yet."),
      h("div", { class: "note-form" }, field("New note", text), add),
    );
  }
}
