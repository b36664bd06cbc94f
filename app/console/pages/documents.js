// Documents: what the answers come from. Search, upload, watch the indexing, delete.

import { ask as post, get, query, remove } from "../api.js";
import { ask } from "../parts/dialog.js";
import { button } from "../parts/field.js";
import { fill, h } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { empty, load, loading, failure } from "../parts/states.js";
import { everySoOften } from "../stream.js";
import { ago } from "../parts/time.js";
import { toast } from "../parts/toast.js";
import { uploader } from "../parts/uploader.js";
import { badge, percent, status } from "../parts/words.js";

const PAGE = 50;
const AGAIN_MS = 1500;

export async function show({ host, signal }) {
  const list = new DocumentList(signal);
  fill(
    host,
    h(
      "div",
      { class: "page" },
      h("header", { class: "page-head" }, h("h1", { tabindex: "-1" }, "Documents")),
      h("div", { class: "columns" }, searchBox(signal), uploader({ signal, done: () => list.refresh() }), list.element),
    ),
  );
  await list.refresh();
}

function searchBox(signal) {
  const words = h("input", {
    type: "search",
    id: "search-words",
    placeholder: "A question, or words",
    maxlength: 4000,
  });
  const found = h("div", { "aria-live": "polite" });
  const form = h(
    "form",
    { class: "search", role: "search" },
    h("label", { for: "search-words", class: "unseen" }, "Search the documents"),
    words,
    h("button", { class: "button primary", type: "submit" }, icon("search"), "Search"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!words.value.trim()) return fill(found);
    load(
      found,
      signal,
      () => post("/api/search", { query: words.value.trim(), limit: 8 }, { signal }),
      results,
      "Searching",
    );
  });
  return h("section", { class: "block" }, form, found);
}

function results({ answerability, data }) {
  if (!data.length) return empty("Nothing found", "No passage speaks to this.");
  const mood = answerability >= 0.5 ? "good" : "warn";
  return [
    h(
      "p",
      { class: "answerability" },
      badge(`${percent(answerability)} answerable`, mood),
      " ",
      h("span", { class: "faint" }, "How likely it is that these passages hold the answer."),
    ),
    h(
      "ol",
      { class: "hits" },
      data.map((hit) =>
        h(
          "li",
          { class: "card" },
          h(
            "p",
            { class: "row-note" },
            h("strong", {}, hit.title),
            hit.headings.length > 0 && h("span", {}, hit.headings.join(" › ")),
            h("span", { class: "number grow-left" }, hit.score.toFixed(3)),
          ),
          h("p", { class: "prewrap clip-4" }, hit.text),
        ),
      ),
    ),
  ];
}

class DocumentList {
  element = h("section", { class: "block", "aria-label": "All documents" });
  #rows = h("div");
  #found = [];
  #more = false;
  #watching = false;

  constructor(signal) {
    this.signal = signal;
    fill(this.element, h("h2", { tabindex: "-1" }, "All documents"), this.#rows);
    fill(this.#rows, loading("Loading documents"));
  }

  async refresh(after = null) {
    try {
      const page = await get(query("/api/documents", { limit: PAGE, after }), { signal: this.signal });
      this.#found = after ? [...this.#found, ...page.data] : page.data;
      this.#more = page.has_more;
      this.#draw();
      this.#watch();
    } catch (problem) {
      if (!this.signal.aborted)
        fill(
          this.#rows,
          failure(problem, () => this.refresh()),
        );
    }
  }

  // Only those that are being indexed are asked about again.
  async #watch() {
    if (this.#watching) return;
    this.#watching = true;
    await everySoOften(AGAIN_MS, this.signal, async () => {
      const busy = this.#found.filter((each) => ["queued", "indexing"].includes(each.status));
      const now = await Promise.all(
        busy.map((each) =>
          get(`/api/documents/${encodeURIComponent(each.id)}`, { signal: this.signal }).catch(() => each),
        ),
      );
      const fresh = new Map(now.map((each) => [each.id, each]));
      this.#found = this.#found.map((each) => fresh.get(each.id) ?? each);
      if (busy.length && !this.signal.aborted) this.#draw();
      return busy.length > 0;
    });
    this.#watching = false;
  }

  #draw() {
    const focused = document.activeElement?.dataset?.document;
    const more = this.#more && button("Show more", () => this.refresh(this.#found.at(-1).id));
    if (!this.#found.length)
      return fill(this.#rows, empty("No documents yet", "Upload some: answers come from them alone."));
    fill(
      this.#rows,
      h(
        "ul",
        { class: "documents" },
        this.#found.map((each) => this.#row(each)),
      ),
      more,
    );
    if (focused) this.#rows.querySelector(`[data-document="${CSS.escape(focused)}"]`)?.focus();
  }

  #row(each) {
    const working = ["queued", "indexing"].includes(each.status);
    const bar = working && h("progress", { value: each.progress, max: 1, "aria-label": `Indexing ${each.title}` });
    const drop = h(
      "button",
      {
        type: "button",
        class: "icon-button",
        "aria-label": `Delete ${each.title}`,
        "data-document": each.id,
        on: { click: () => this.#delete(each) },
      },
      icon("trash"),
    );
    return h(
      "li",
      {},
      h(
        "div",
        { class: "document" },
        h("p", { class: "row-title" }, each.title || each.filename),
        h(
          "p",
          { class: "row-note" },
          status(each.status),
          each.audience === "staff" && badge("staff only"),
          h("span", {}, each.filename),
          h("span", {}, `${each.passages} passages`),
          h("span", {}, size(each.bytes)),
          ago(each.updated_at),
        ),
        each.error && h("p", { class: "field-problem" }, each.error),
        bar,
      ),
      drop,
    );
  }

  async #delete(each) {
    const gone = await ask({
      title: "Delete the document?",
      body: h(
        "p",
        {},
        h("strong", {}, each.title || each.filename),
        " is deleted with its file. No search finds it from then on, and no answer rests on it.",
      ),
      action: "Delete",
      danger: true,
      confirm: () => remove(`/api/documents/${encodeURIComponent(each.id)}`),
    });
    if (!gone) return;
    this.#found = this.#found.filter((other) => other !== each && other.id !== each.id);
    this.#draw();
    this.element.querySelector("h2").focus();
    toast(`${each.title || each.filename} is deleted.`);
  }
}

function size(bytes) {
  return bytes < 1024 ** 2
    ? `${Math.max(1, Math.round(bytes / 1024)).toLocaleString()} KB`
    : `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}
