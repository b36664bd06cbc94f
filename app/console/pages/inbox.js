// Inbox: tickets by status, and one of them to work on.

import { get, query } from "../api.js";
import { choice, field } from "../parts/field.js";
import { fill, h } from "../parts/dom.js";
import { href } from "../router.js";
import { whose } from "../session.js";
import { links, refill, split } from "../parts/split.js";
import { empty, load } from "../parts/states.js";
import { TicketDetail } from "../parts/ticket.js";
import { ago } from "../parts/time.js";
import { status } from "../parts/words.js";

const STATUSES = [
  ["open", "Open"],
  ["pending", "Pending"],
  ["resolved", "Resolved"],
  ["closed", "Closed"],
  ["", "All"],
];
const LIMIT = 100;
const URGENCY = ["urgent", "high", "normal", "low"];

export async function show({ host, route, signal }) {
  const place = split({ title: "Inbox", back: href("inbox"), listLabel: "Tickets" });
  fill(host, place.element);
  const list = new TicketList(place, signal);
  let detail = null;
  const update = async ({ parts: [id], query: { status: wanted = "open" } }) => {
    detail?.stop();
    place.choose(id ?? null);
    const listed = list.show(wanted);
    if (id) {
      detail = new TicketDetail({ id, place, signal, wanted, changed: () => list.show(wanted, true) });
      await detail.show();
    } else fill(place.detail, empty("Choose a ticket", "It opens here, with what the assistant makes of it."));
    await listed;
  };
  await update(route);
  return { update };
}

class TicketList {
  #status = null;
  #tickets = [];
  #more = false;
  #rows = h("div", { class: "list-rows" });

  constructor(place, signal) {
    Object.assign(this, { place, signal });
    this.tabs = h("nav", { class: "tabs", "aria-label": "Status" });
    this.search = h("input", { type: "search", placeholder: "Any word", on: { input: () => this.#draw() } });
    this.order = choice(
      [
        ["latest", "Latest first"],
        ["urgency", "Most urgent first"],
      ],
      "latest",
      { on: { change: () => this.#draw() } },
    );
    fill(
      place.list,
      this.tabs,
      h("div", { class: "filters" }, field("Filter", this.search), field("Order", this.order)),
      this.#rows,
    );
  }

  /** Show the tickets of a status ("": all); those that are there already stay unless they are to be `anew`. */
  async show(wanted, anew = false) {
    if (this.#status === wanted && !anew) return this.place.mark();
    this.#status = wanted;
    refill(
      this.tabs,
      STATUSES.map(([value, text]) =>
        h(
          "a",
          {
            href: href("inbox", [], { status: value || "all" }),
            "aria-current": (wanted === "all" ? "" : wanted) === value ? "true" : null,
          },
          text,
        ),
      ),
    );
    const path = query("/api/tickets", { status: wanted === "all" ? null : wanted, limit: LIMIT });
    await load(
      this.#rows,
      this.signal,
      () => get(path, { signal: this.signal }),
      (page) => {
        this.#tickets = page.data;
        this.#more = page.has_more;
        return this.#list();
      },
      "Loading tickets",
    );
    this.place.mark();
  }

  #draw() {
    fill(this.#rows, this.#list());
    this.place.mark();
  }

  #list() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const text = (ticket) =>
      [
        ticket.id,
        ticket.customer_id,
        ticket.order_id,
        ticket.subject,
        ticket.message,
        ticket.category,
        ticket.assignee,
        ticket.team,
      ]
        .join(" ")
        .toLowerCase();
    const found = this.#tickets.filter((ticket) => words.every((word) => text(ticket).includes(word)));
    if (this.order.value === "urgency") found.sort((a, b) => URGENCY.indexOf(a.priority) - URGENCY.indexOf(b.priority));
    const nothing = this.#tickets.length
      ? empty("Nothing fits", "Try other words.")
      : empty("Nothing here", "No ticket has this status.");
    return [
      links(found, (ticket) => this.#row(ticket), nothing),
      this.#more && h("p", { class: "faint small pad" }, `These are the latest ${LIMIT}.`),
    ];
  }

  #row(ticket) {
    const urgent = ["urgent", "high"].includes(ticket.priority);
    return {
      id: ticket.id,
      address: href("inbox", [ticket.id], { status: this.#status }),
      content: [
        h("span", { class: "row-title" }, ticket.subject),
        h(
          "span",
          { class: "row-note" },
          urgent && status(ticket.priority),
          h("span", {}, ticket.id),
          h("span", {}, ticket.category),
          ago(ticket.created),
          ticket.assignee && h("span", {}, `→ ${whose(ticket.assignee)}`),
        ),
      ],
    };
  }
}
