// Approvals: calls that wait for people, and what became of them. A client sees its own and decides nothing.

import { ApiError, get, query } from "../api.js";
import { ApprovalDetail } from "../parts/approval.js";
import { button } from "../parts/field.js";
import { fill, h } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { href } from "../router.js";
import { links, refill, split } from "../parts/split.js";
import { empty, failure, loading } from "../parts/states.js";
import { everySoOften } from "../stream.js";
import { ago, inWords } from "../parts/time.js";
import { status, toolTitle } from "../parts/words.js";

const STATUSES = ["pending", "approved", "rejected", "responded", "expired"];
const PAGE = 50;
const AGAIN_MS = 15_000;

export async function show({ host, route, signal }) {
  const place = split({ title: "Approvals", back: href("approvals"), listLabel: "Approvals" });
  const list = new ApprovalList(place, signal);
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
  const update = async ({ parts: [id], query: { status: wanted = "pending" } }) => {
    place.choose(id ?? null);
    const listed = list.show(wanted);
    if (id) await new ApprovalDetail({ id, place, signal, changed: () => list.refresh() }).show();
    else fill(place.detail, empty("Choose an approval", "The call opens here, as it was proposed."));
    await listed;
  };
  await update(route);
  everySoOften(AGAIN_MS, signal, () => list.lookAgain());
  return { update };
}

class ApprovalList {
  #status = null;
  #counts = {};
  #found = [];
  #more = false;

  constructor(place, signal) {
    Object.assign(this, { place, signal });
    this.tabs = h("nav", { class: "tabs", "aria-label": "Status" });
    this.rows = h("div", { class: "list-rows" });
    fill(place.list, this.tabs, this.rows);
  }

  async show(wanted) {
    if (this.#status === wanted) return this.place.mark();
    this.#status = wanted;
    this.#drawTabs();
    fill(this.rows, loading("Loading approvals"));
    await this.refresh();
  }

  /** Ask again for the list and for how many there are of each status. */
  async refresh() {
    try {
      await this.#ask(STATUSES);
    } catch (problem) {
      if (!this.signal.aborted)
        fill(
          this.rows,
          failure(problem, () => this.refresh()),
        );
    }
  }

  /** Ask for what may have changed by itself. What stands there stays when no answer comes. */
  async lookAgain() {
    try {
      await this.#ask([...new Set(["pending", this.#status])]);
    } catch (problem) {
      if (!this.signal.aborted && !(problem instanceof ApiError && problem.passing)) throw problem;
    }
  }

  async #ask(statuses) {
    const wanted = this.#status;
    const pages = await Promise.all(statuses.map((each) => this.#page(each)));
    if (this.signal.aborted || wanted !== this.#status) return;
    const before = this.#counts.pending;
    statuses.forEach((each, i) => {
      this.#counts[each] = pages[i].data.length + (pages[i].has_more ? "+" : "");
    });
    if (before !== undefined && before !== this.#counts.pending) dispatchEvent(new Event("wayside:waiting"));
    const page = pages[statuses.indexOf(wanted)];
    const longer = this.#found.length > PAGE && this.#found[0].status === wanted;
    if (!longer) [this.#found, this.#more] = [page.data, page.has_more];
    this.#draw();
  }

  async #page(wanted, after = null) {
    return get(query("/api/approvals", { status: wanted, limit: PAGE, after }), { signal: this.signal });
  }

  async #next() {
    const page = await this.#page(this.#status, this.#found.at(-1).id);
    this.#found = [...this.#found, ...page.data];
    this.#more = page.has_more;
    this.#draw();
  }

  #drawTabs() {
    refill(
      this.tabs,
      STATUSES.map((each) =>
        h(
          "a",
          { href: href("approvals", [], { status: each }), "aria-current": each === this.#status ? "true" : null },
          each,
          each in this.#counts && h("span", { class: "tab-count" }, this.#counts[each]),
        ),
      ),
    );
  }

  #draw() {
    this.#drawTabs();
    const nothing =
      this.#status === "pending"
        ? empty("Nothing waits", "When a call needs a person’s consent, it appears here.")
        : empty("None", `No approval is ${this.#status}.`);
    refill(
      this.rows,
      links(this.#found, (each) => this.#row(each), nothing),
      this.#more && button("Show more", () => this.#next()),
    );
    this.place.mark();
  }

  #row(approval) {
    const pending = approval.status === "pending";
    return {
      id: approval.id,
      address: href("approvals", [approval.id], { status: this.#status }),
      content: [
        h("span", { class: "row-title" }, toolTitle(approval.tool)),
        h(
          "span",
          { class: "row-note" },
          Object.values(approval.subject).map((each) => h("span", {}, each)),
        ),
        h(
          "span",
          { class: "row-note" },
          pending
            ? [h("span", {}, "asked ", ago(approval.created_at)), h("span", {}, `expires ${inWords(approval.expires_at)}`)]
            : [status(approval.status), ago(approval.decided_at ?? approval.expires_at)],
        ),
        h("span", { class: "row-note" }, approval.reason),
      ],
    };
  }
}
