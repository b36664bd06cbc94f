// An approval in full, and the four things that a person can say to it.

import { act, ApiError, get } from "../api.js";
import { ask } from "./dialog.js";
import { fill, h } from "./dom.js";
import { button, field } from "./field.js";
import { href } from "../router.js";
import { schemaForm } from "./schema_form.js";
import { atLeast, session, whose } from "../session.js";
import { failure, loading } from "./states.js";
import { ago, inWords } from "./time.js";
import { toast } from "./toast.js";
import { toolNamed } from "./tools.js";
import { badge, json, status, terms, toolTitle } from "./words.js";

const DONE = { approve: "Approved.", edit: "Approved as edited.", reject: "Rejected.", respond: "Answered." };

export class ApprovalDetail {
  constructor({ id, place, signal, changed }) {
    Object.assign(this, { id, place, signal, changed });
  }

  async show() {
    const host = this.place.detail;
    fill(host, this.place.back(), loading("Loading the approval"));
    try {
      const approval = await get(this.#path(), { signal: this.signal });
      if (this.signal.aborted) return;
      this.#draw(approval);
      host.querySelector("h2").focus();
    } catch (problem) {
      if (!this.signal.aborted)
        fill(
          host,
          this.place.back(),
          failure(problem, () => this.show()),
        );
    }
  }

  #path() {
    return `/api/approvals/${encodeURIComponent(this.id)}`;
  }

  #draw(approval) {
    const pending = approval.status === "pending";
    fill(
      this.place.detail,
      this.place.back(),
      h(
        "article",
        { class: "detail" },
        h(
          "header",
          { class: "detail-head" },
          h("p", { class: "row-note" }, h("code", {}, approval.id), status(approval.status)),
          h("h2", { tabindex: "-1" }, toolTitle(approval.tool)),
          h("p", { class: "reason" }, approval.reason),
        ),
        pending && atLeast("staff") && this.#decisions(approval),
        this.#calls(approval),
        this.#facts(approval),
        this.#votes(approval),
        approval.effect &&
          h(
            "section",
            { class: "block" },
            h("h3", {}, "What came of it"),
            h("p", {}, status(approval.effect)),
            approval.result !== null && h("details", {}, h("summary", {}, "Result"), json(approval.result)),
          ),
      ),
    );
  }

  /** The call as proposed, and beside it as it was edited or approved. */
  #calls(approval) {
    const edited = approval.approved ?? approval.votes.findLast((vote) => vote.arguments)?.arguments ?? null;
    const names = new Set([...Object.keys(approval.arguments), ...Object.keys(edited ?? {})]);
    const changed = new Set(
      [...names].filter((name) => edited && JSON.stringify(edited[name]) !== JSON.stringify(approval.arguments[name])),
    );
    return h(
      "section",
      { class: "block versions" },
      h("div", {}, h("h3", {}, "As proposed"), terms(approval.arguments)),
      edited &&
        h(
          "div",
          {},
          h(
            "h3",
            {},
            approval.approved ? "As approved" : "As edited",
            " ",
            changed.size ? badge(`${changed.size} changed`, "warn") : badge("unchanged"),
          ),
          terms(edited, changed),
        ),
    );
  }

  #facts(approval) {
    const rows = [
      ["About", about(approval.subject)],
      ["Proposed", [whose(approval.proposed_by), ", ", ago(approval.created_at)]],
      ["Who decides", this.#who(approval)],
      ["Consents", `${consents(approval)} of ${approval.quorum}`],
      approval.decided_at
        ? ["Decided", ago(approval.decided_at)]
        : ["Expires", h("span", { class: soon(approval) ? "warn-text" : null }, inWords(approval.expires_at))],
      ["Conversation", this.#thread(approval)],
    ];
    return h(
      "section",
      { class: "block" },
      h("h3", {}, "Facts"),
      h(
        "dl",
        { class: "terms" },
        rows.map(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]),
      ),
    );
  }

  #who(approval) {
    const who = approval.assignee ? `${approval.assignee} alone` : `${approval.by} or above`;
    return approval.four_eyes ? `${who}, but not the one who proposed it` : who;
  }

  #thread(approval) {
    // What was asked for over the API has a made-up name, and no conversation.
    if (approval.thread.startsWith("api/")) return "None: it was asked for over the API";
    if (!atLeast("staff")) return h("a", { href: href("chat", [approval.thread]) }, "Back to the conversation");
    return h("a", { href: href("timeline", [approval.thread]) }, approval.thread);
  }

  #votes(approval) {
    if (!approval.votes.length) return null;
    const rows = approval.votes.map((vote) =>
      h(
        "li",
        {},
        h("p", { class: "row-note" }, h("strong", {}, vote.decision), h("span", {}, whose(vote.by)), ago(vote.at)),
        vote.text && h("p", { class: "prewrap" }, vote.text),
      ),
    );
    return h("section", { class: "block" }, h("h3", {}, "What was said"), h("ol", { class: "notes" }, rows));
  }

  #decisions(approval) {
    const why = this.#whyNot(approval);
    if (why) return h("p", { class: "notice" }, why);
    return h(
      "div",
      { class: "actions decide" },
      button("Approve", () => this.#decide("approve", approval), { kind: "primary" }),
      button("Edit and approve", () => this.#edit(approval)),
      button("Reject", () => this.#decide("reject", approval), { kind: "danger" }),
      button("Respond", () => this.#decide("respond", approval)),
    );
  }

  #whyNot(approval) {
    const { key_id: me } = session.me;
    if (!atLeast(approval.by)) return `This is decided by a key of role ${approval.by} or above.`;
    if (approval.assignee && approval.assignee !== me) return `This is decided by ${approval.assignee} alone.`;
    if (approval.four_eyes && approval.proposed_by === me) return "You proposed this: somebody else has to decide.";
    if (approval.votes.some((vote) => vote.by === me)) return "You have said your word; it waits for others.";
    return null;
  }

  async #decide(decision, approval) {
    const asked = {
      approve: {
        title: `Approve: ${toolTitle(approval.tool)}`,
        action: "Approve",
        label: "Reason (optional)",
        explain: "The call is performed once, as proposed.",
      },
      reject: {
        title: `Reject: ${toolTitle(approval.tool)}`,
        action: "Reject",
        label: "Reason",
        danger: true,
        explain: "The call is not performed. The conversation is told why.",
      },
      respond: {
        title: "Respond instead",
        action: "Respond",
        label: "What the assistant is to be told",
        explain: "The call is not performed; the assistant gets these words instead.",
      },
    }[decision];
    const text = h("textarea", { rows: 3, maxlength: 10000 });
    await this.#asked({
      ...asked,
      body: [terms(approval.arguments), field(asked.label, text)],
      confirm: () => {
        if (decision !== "approve" && !text.value.trim()) throw new Error("A few words are needed.");
        return this.#send({ decision, text: text.value.trim() });
      },
    });
  }

  async #edit(approval) {
    const tool = await toolNamed(approval.tool).catch(() => null);
    const form = schemaForm(tool?.parameters, approval.arguments);
    const text = h("textarea", { rows: 2, maxlength: 10000 });
    await this.#asked({
      title: `Edit: ${toolTitle(approval.tool)}`,
      explain: "The proposal itself stays as it is; what you write here is what will be done.",
      body: h("div", { class: "fields" }, form.element, field("Why you changed it (optional)", text)),
      action: "Approve as edited",
      confirm: () => this.#send({ decision: "edit", arguments: form.read(), text: text.value.trim() }),
    });
  }

  // The button that opened the dialog is gone once something was decided.
  async #asked(question) {
    if (await ask(question)) this.place.detail.querySelector("h2")?.focus();
  }

  async #send(decision) {
    try {
      this.#draw(await act(`${this.#path()}/decision`, decision));
      toast(DONE[decision.decision]);
    } catch (problem) {
      if (!(problem instanceof ApiError) || problem.status !== 409) throw problem;
      // Somebody else was faster: what they decided is shown.
      toast(`Decided meanwhile: ${problem.message}`, { bad: true, requestId: problem.requestId });
      await this.show();
    }
    this.changed();
    dispatchEvent(new Event("wayside:waiting"));
    return true;
  }
}

/** Whom and what it concerns; staff can look at the ticket. */
function about(subject) {
  const ids = Object.entries(subject).map(([name, id]) =>
    name === "ticket_id" && atLeast("staff") ? h("a", { href: href("inbox", [id], { status: "all" }) }, id) : id,
  );
  return ids.length ? ids.flatMap((id, i) => (i ? [" · ", id] : [id])) : "–";
}

function consents({ votes }) {
  const lastEdit = votes.findLastIndex((vote) => vote.decision === "edit");
  return votes.slice(Math.max(lastEdit, 0)).filter((vote) => ["approve", "edit"].includes(vote.decision)).length;
}

function soon({ expires_at: expires }) {
  return new Date(expires) - Date.now() < 6 * 3600 * 1000;
}
