// One answer of the assistant, while it comes and when it is there.

import { approvalCard } from "./approval_card.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { href } from "../router.js";
import { marked } from "./citation.js";
import { failure } from "./states.js";
import { verdicts } from "./verdicts.js";
import { badge, json, toolAtWork, toolTitle } from "./words.js";
import { atLeast } from "../session.js";

/** An answer. Feed it a run's events with `take`, or what is known of an old one with `restore`. */
export class AnswerView {
  element = h("li", { class: "said assistant" });
  approvals = new Map(); // id → card
  citations = null; // of a finished answer; null until known
  #text = "";
  #tools = [];
  #body = h("div", { class: "said-text" });
  #work = h("ol", { class: "tools", "aria-label": "Tools used" });
  #cards = h("div", { class: "cards" });
  #foot = h("footer", { class: "said-foot" });
  #link = h("p", { class: "link-lost", hidden: true }, icon("refresh"), "Reconnecting…");
  #say;

  /** `say` reads a line out; `lookUp` promises the citations of an old answer. */
  constructor({ say = () => {}, lookUp = async () => [] } = {}) {
    this.#say = say;
    this.lookUp = lookUp;
    this.element.append(
      h("span", { class: "unseen" }, "Wayside:"),
      this.#work,
      this.#body,
      this.#cards,
      this.#link,
      this.#foot,
    );
    this.#wait();
  }

  /** One event of the run, as `stream.js` hands it over. */
  take({ name, data }) {
    if (name === "metadata") this.#begin(data);
    else if (name === "custom") this.#piece(data);
    else if (name === "error") this.fail({ message: data.message ?? "The run failed." });
    else if (name === "end") this.finish();
  }

  get text() {
    return this.#text;
  }

  restore({ text, turn = null }) {
    this.#text = text;
    this.finish();
    if (turn) this.#close(turn.id, turn);
  }

  connection(state) {
    this.#link.hidden = state === "open";
    if (state === "lost") this.#say("The connection was lost. Reconnecting.");
  }

  addApproval(approval) {
    const card = this.approvals.get(approval.id);
    if (card) return card.update(approval);
    const made = approvalCard(approval);
    this.approvals.set(approval.id, made);
    this.#cards.append(made.element);
  }

  fail(problem) {
    this.finish();
    this.#foot.append(failure(problem));
  }

  finish() {
    this.element.removeAttribute("aria-busy");
    this.#link.hidden = true;
    for (const each of this.#tools) each.row.dataset.state = "done";
    this.#draw();
  }

  // A run that was taken over begins anew: what the first attempt said is said again.
  #begin({ run_id: id, attempt }) {
    this.runId = id;
    if (attempt > 1) {
      this.#text = "";
      this.#tools = [];
      this.#work.replaceChildren();
      this.#wait();
    }
  }

  #piece(piece) {
    if (piece.type === "text_delta") {
      this.#text += piece.text;
      this.#draw(true);
    } else if (piece.type === "tool_called") this.#called(piece);
    else if (piece.type === "tool_result") this.#returned(piece);
    else if (piece.type === "interrupted")
      this.addApproval({
        id: piece.approval,
        tool: piece.tool,
        arguments: piece.arguments,
        reason: piece.reason,
        status: "pending",
      });
    else if (piece.type === "answer") this.#answered(piece);
  }

  #answered(answer) {
    this.#text = answer.text;
    this.citations = answer.citations;
    this.answer = answer;
    this.finish();
    this.#close(this.runId, answer);
    this.#say(answer.text.replace(/\[\d+\]/g, ""));
  }

  #close(turnId, { declined = false, engine = "", usage = null }) {
    const tokens = usage && usage.prompt_tokens + usage.completion_tokens;
    const note = [engine, tokens ? `${tokens.toLocaleString()} tokens` : ""].filter(Boolean).join(" · ");
    fill(
      this.#foot,
      declined && badge("not in the documents", "warn"),
      turnId && verdicts(turnId, this.#text),
      turnId &&
        atLeast("staff") &&
        h("a", { class: "text-link small", href: href("timeline", ["turn", turnId]) }, "Timeline"),
      note && h("span", { class: "faint small" }, note),
    );
  }

  #called({ tool, arguments: given }) {
    const words = toolAtWork(tool, given);
    const row = h(
      "li",
      { "data-state": "working" },
      h(
        "details",
        {},
        h("summary", {}, icon("tool"), h("span", {}, words)),
        h("div", { class: "tool-more" }, h("p", { class: "faint small" }, toolTitle(tool)), json(given)),
      ),
    );
    this.#tools.push({ tool, row });
    this.#work.append(row);
    this.#say(words);
  }

  #returned({ tool, result }) {
    const called = this.#tools.find((each) => each.tool === tool && each.row.dataset.state === "working");
    if (!called) return;
    called.row.dataset.state = "done";
    called.row.querySelector(".tool-more").append(h("p", { class: "faint small" }, "Result"), json(result));
  }

  #wait() {
    this.element.setAttribute("aria-busy", "true");
    fill(this.#body, h("span", { class: "thinking", role: "img", "aria-label": "Thinking" }, h("i"), h("i"), h("i")));
  }

  #draw(more = false) {
    const find = async (number) => {
      this.citations ??= await this.lookUp();
      return this.citations.filter((each) => each.marker === number);
    };
    fill(this.#body, marked(this.#text, find), more && h("span", { class: "caret" }));
  }
}
