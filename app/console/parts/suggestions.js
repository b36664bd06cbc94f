// What the assistant suggests for a ticket. People accept, change or reject each; what they do is kept as feedback.

import { act, get } from "../api.js";
import { ask } from "./dialog.js";
import { fill, h } from "./dom.js";
import { button, choice, field } from "./field.js";
import { href } from "../router.js";
import { quoted } from "./citation.js";
import { schemaForm } from "./schema_form.js";
import { load } from "./states.js";
import { attempt, complain, toast } from "./toast.js";
import { toolNamed } from "./tools.js";
import { badge, json, percent, sentence, terms, toolTitle } from "./words.js";

const LABELS = {
  category: ["delivery", "returns", "billing", "account", "product", "technical", "fraud", "other"],
  priority: ["low", "normal", "high", "urgent"],
  sentiment: ["negative", "neutral", "positive"],
};

export class Suggestions {
  element = h("aside", { class: "advice", "aria-label": "Suggestions" });
  #body = h("div");

  constructor({ ticket, signal, attempts, update, performed }) {
    Object.assign(this, { ticket, signal, attempts, update, performed });
    this.element.append(h("h3", {}, "Suggestions"), this.#body);
  }

  async show() {
    const path = `/api/tickets/${encodeURIComponent(this.ticket.id)}/suggestions`;
    await load(
      this.#body,
      this.signal,
      () => get(path, { signal: this.signal }),
      (found) => this.#draw(found),
      "Reading the ticket",
    );
  }

  #draw(found) {
    return [
      h(
        "section",
        { class: "block" },
        h("h4", {}, "Reading"),
        Object.keys(LABELS)
          .filter((name) => found[name])
          .map((name) => this.#label(name, found[name])),
        h("p", { class: "faint small" }, `Team: ${found.team}`),
      ),
      this.#duplicates(found.duplicates),
      this.#action(found.next_action),
      this.#reply(found.reply),
    ];
  }

  #label(name, { label, probability, sure }) {
    const row = h("div", { class: "guess", role: "group", "aria-label": sentence(name) });
    const said = h("span", { class: "faint small", role: "status" });
    const tell = async (made, body, word) => {
      if (await attempt(made, () => this.#feedback(body))) said.textContent = word;
    };
    const options = [...new Set([label, ...LABELS[name]])];
    const other = choice(
      options.map((each) => [each, sentence(each)]),
      label,
      { "aria-label": `${sentence(name)}: choose another` },
    );
    other.addEventListener("change", () =>
      tell(
        other,
        { rating: other.value === label ? "up" : "down", correction: { [name]: other.value } },
        `Kept as ${other.value}`,
      ),
    );
    fill(
      row,
      h(
        "div",
        { class: "guess-head" },
        h("span", {}, sentence(name)),
        h("strong", {}, label),
        h("span", { class: "number" }, percent(probability)),
        sure ? badge("sure", "good") : badge("not sure", "warn"),
      ),
      h("div", {
        class: "meter",
        role: "img",
        "aria-label": `${percent(probability)} probable`,
        style: { "--share": String(probability) },
      }),
      h(
        "div",
        { class: "guess-tools" },
        button("Right", (made) => tell(made, { rating: "up", correction: { [name]: label } }, "Kept as right"), {
          kind: "small",
        }),
        button("Wrong", (made) => tell(made, { rating: "down", comment: `${name} is not ${label}` }, "Kept as wrong"), {
          kind: "small",
        }),
        other,
      ),
      said,
    );
    return row;
  }

  #duplicates(found) {
    if (!found.length) return null;
    const rows = found.map((each) =>
      h(
        "li",
        {},
        h(
          "a",
          { class: "row", href: href("inbox", [each.ticket_id], { status: "all" }) },
          h("span", { class: "row-title" }, each.subject),
          h(
            "span",
            { class: "row-note" },
            h("span", {}, each.ticket_id),
            h("span", {}, `${percent(each.cosine)} alike`),
            each.same_customer && badge("same customer"),
          ),
        ),
      ),
    );
    return h("section", { class: "block" }, h("h4", {}, "Perhaps the same as"), h("ul", { class: "rows" }, rows));
  }

  #action(next) {
    if (!next)
      return h(
        "section",
        { class: "block" },
        h("h4", {}, "Next action"),
        h("p", { class: "faint" }, "Nothing to do by itself."),
      );
    const outcome = h("div", { role: "status", tabindex: "-1" });
    const choices = h(
      "div",
      { class: "actions" },
      button("Do this", () => this.#perform(next, choices, outcome), { kind: "primary" }),
      button("Not this", (made) =>
        attempt(made, async () => {
          await this.#feedback({ rating: "down", correction: { next_action: null } });
          section.replaceChildren(h("h4", {}, "Next action"), h("p", { class: "faint" }, "Rejected; that is kept."));
        }),
      ),
    );
    const section = h(
      "section",
      { class: "block next" },
      h("h4", {}, "Next action"),
      h("p", {}, h("strong", {}, toolTitle(next.tool))),
      terms(next.arguments),
      h(
        "ul",
        { class: "reasons" },
        next.reasons.map((reason) => h("li", {}, reason)),
      ),
      choices,
      outcome,
    );
    return section;
  }

  async #perform(next, choices, outcome) {
    const tool = await toolNamed(next.tool).catch(() => null);
    const form = schemaForm(tool?.parameters, next.arguments);
    const answer = await ask({
      title: toolTitle(next.tool),
      explain:
        tool?.acts === false
          ? "This looks something up, and changes nothing."
          : "This changes the company’s records. Where the policy asks for it, it waits for an approval first.",
      body: form.element,
      action: "Do it",
      confirm: () => this.#call(next, form.read()),
    });
    if (!answer) return;
    const waits = answer.object === "approval";
    // Pressed again it would be a second call.
    choices.remove();
    fill(
      outcome,
      waits
        ? h("p", {}, "Waits for an approval: ", h("a", { href: href("approvals", [answer.id]) }, answer.id))
        : [h("p", {}, badge("done", "good")), h("details", {}, h("summary", {}, "Result"), json(answer.result))],
    );
    outcome.focus();
    if (waits) dispatchEvent(new Event("wayside:waiting"));
    this.performed();
  }

  async #call(next, given) {
    const answer = await this.attempts.act(`/api/tools/${encodeURIComponent(next.tool)}`, {
      arguments: given,
      subject: next.subject,
    });
    const correction = { next_action: { tool: next.tool, arguments: given } };
    // It is done; that the note of it failed is told, and undoes nothing.
    await this.#feedback({ rating: "up", correction }).catch(complain);
    return answer;
  }

  #reply(reply) {
    const text = h("textarea", { rows: 7, maxlength: 10000, value: reply.text });
    return h(
      "section",
      { class: "block" },
      h("h4", {}, "Reply"),
      reply.declined && h("p", { class: "faint" }, "The documents do not answer this."),
      field("Suggested reply", text, "It is kept on the ticket as a note."),
      h(
        "div",
        { class: "actions" },
        button(
          "Save as note",
          (made) =>
            attempt(made, async () => {
              const sent = text.value.trim();
              await this.update({ note: sent });
              await this.#feedback({ rating: "up", correction: { reply: sent, suggested: reply.text } });
              toast("The reply is on the ticket.");
            }),
          { kind: "primary" },
        ),
        button("Not this", (made) =>
          attempt(made, async () => {
            await this.#feedback({ rating: "down", comment: "reply rejected" });
            toast("Rejected; that is kept.");
          }),
        ),
      ),
      reply.citations.length > 0 &&
        h("details", {}, h("summary", {}, `Sources (${reply.citations.length})`), reply.citations.map(quoted)),
    );
  }

  #feedback(said) {
    return act("/api/feedback", { about: { kind: "ticket", id: this.ticket.id }, ...said });
  }
}
