// A thread as a conversation: what was said, what is being said, and what is being waited for.

import { AnswerView } from "./answer.js";
import { act, ApiError, get, query } from "../api.js";
import { contentOf } from "./composer.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { everySoOften, joinRun, startRun } from "../stream.js";
import { ownOwner } from "../session.js";

export const ASSISTANT = "wayside";
const WATCH_MS = 2500;
const FOLLOW_UP_TICKS = 40; // how long the message after a decision is waited for
const UNFINISHED = ["pending", "running"];

export class Conversation {
  element = h("ol", { class: "talk", "aria-label": "Conversation" });
  #live = h("div", { class: "unseen", role: "status", "aria-live": "polite" });
  #runs = new Set(); // those that are shown
  #answers = [];
  #pending = new Map(); // approval id → the answer that shows it
  #awaited = 0;
  #watching = false;
  #following = false;

  /** `signal` ends everything; `busy(true|false)` is told when an answer comes and when it is there. */
  constructor({ threadId, signal, busy, scroller }) {
    Object.assign(this, { threadId, signal, busy, scroller });
  }

  get parts() {
    return [this.element, this.#live];
  }

  get isEmpty() {
    return !this.element.childElementCount;
  }

  /** Show what the thread holds, and go on with what is under way. */
  async open() {
    const owner = ownOwner();
    const thread = await get(query(`/api/threads/${encodeURIComponent(this.threadId)}`, { owner }), {
      signal: this.signal,
    });
    const turns = await this.#orNone(query("/api/timelines", { thread_id: this.threadId, owner, limit: 100 }));
    const runs = await this.#listRuns();
    if (this.signal.aborted) return;
    this.#restore(thread.messages, turns.data ?? []);
    for (const run of runs) if (!UNFINISHED.includes(run.status)) this.#runs.add(run.run_id);
    for (const id of thread.pending) await this.#await(id, this.#answers.at(-1) ?? this.#answer());
    this.#toEnd(true);
    this.#watch();
    this.#joinAll(runs);
  }

  /**
   * Say something, and follow the answer. A conversation that has no thread yet gets the one that `create()` promises.
   * Returns whether the message was taken.
   */
  async say(message, create) {
    this.#said(
      message.text,
      message.files.map((file) => file.filename),
    );
    const answer = this.#answer();
    const body = {
      assistant_id: ASSISTANT,
      input: { messages: [{ role: "user", content: contentOf(message) }] },
      stream_mode: ["custom"],
    };
    await this.#follow(answer, async (options) => {
      this.threadId ??= await create();
      await startRun(this.threadId, body, options);
    });
    return answer.runId !== undefined;
  }

  async stop() {
    const run = this.#answers.at(-1)?.runId;
    if (run)
      await act(`/threads/${encodeURIComponent(this.threadId)}/runs/${encodeURIComponent(run)}/cancel`, undefined);
  }

  #restore(messages, turns) {
    const left = [...turns].sort((a, b) => a.started_at.localeCompare(b.started_at));
    for (const { role, text, attachments } of messages) {
      if (role === "user") this.#said(text, attachments);
      else if (role === "assistant") {
        const at = left.findIndex((turn) => turn.answer === text);
        const turn = at < 0 ? null : left.splice(0, at + 1).at(-1);
        this.#answer(turn).restore({ text, turn });
      }
    }
    this.#toEnd(true);
  }

  #said(text, files) {
    const names =
      files.length > 0 &&
      h(
        "ul",
        { class: "files" },
        files.map((name) => h("li", {}, icon("documents"), h("span", {}, name))),
      );
    this.element.append(
      h(
        "li",
        { class: "said user" },
        h("span", { class: "unseen" }, "You:"),
        text && h("div", { class: "said-text" }, text),
        names,
      ),
    );
    this.#toEnd(true);
  }

  #answer(turn = null) {
    const lookUp = async () => (turn?.source === "run" ? this.#citationsOf(turn.id) : []);
    const answer = new AnswerView({ say: (line) => fill(this.#live, line), lookUp });
    this.#answers.push(answer);
    this.element.append(answer.element);
    this.#toEnd(true);
    return answer;
  }

  async #follow(answer, start) {
    this.#following = true;
    this.busy(true);
    try {
      await start({
        signal: this.signal,
        link: (state) => {
          const near = this.#isNearEnd();
          answer.connection(state);
          this.#toEnd(near);
        },
        receive: (event) => {
          const near = this.#isNearEnd();
          answer.take(event);
          if (answer.runId) this.#runs.add(answer.runId);
          this.#toEnd(near);
        },
      });
      const named = answer.answer?.approvals ?? [];
      for (const id of new Set([...answer.approvals.keys(), ...named])) await this.#await(id, answer);
      this.#watch();
    } catch (problem) {
      if (!this.signal.aborted) answer.fail(problem);
    } finally {
      this.#following = false;
      if (!this.signal.aborted) this.busy(false);
      this.#toEnd(this.#isNearEnd());
    }
  }

  // One after the other, the oldest first, as they were started.
  async #joinAll(runs) {
    for (const run of runs.reverse()) await this.#join(run);
  }

  async #join(run) {
    if (this.#runs.has(run.run_id)) return;
    this.#runs.add(run.run_id);
    const asked = run.kwargs?.input?.messages?.at(-1);
    if (asked?.role === "user" && !this.#hasAsked(textOf(asked.content)))
      this.#said(textOf(asked.content), filesOf(asked.content));
    await this.#follow(this.#answer(), (options) => joinRun(this.threadId, run.run_id, options));
  }

  #hasAsked(text) {
    return [...this.element.querySelectorAll(".user")].at(-1)?.querySelector(".said-text")?.textContent === text;
  }

  async #await(id, answer) {
    try {
      const approval = await get(`/api/approvals/${encodeURIComponent(id)}`, { signal: this.signal });
      answer.addApproval(approval);
      if (approval.status === "pending") this.#pending.set(id, answer);
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      if (problem.passing) this.#pending.set(id, answer); // it is asked for again with the next look
    }
  }

  // While something waits for people: how it stands, and, once decided, the message that the server adds by itself.
  async #watch() {
    if (this.#watching || !this.#pending.size) return;
    this.#watching = true;
    await everySoOften(WATCH_MS, this.signal, async () => {
      for (const [id, answer] of [...this.#pending]) {
        this.#pending.delete(id);
        await this.#await(id, answer);
        if (!this.#pending.has(id)) this.#awaited = FOLLOW_UP_TICKS;
      }
      if (this.#awaited > 0) {
        this.#awaited -= 1;
        const fresh = (await this.#listRuns()).filter((run) => !this.#runs.has(run.run_id));
        // While an answer comes, its own run may be among them, which has not said its name yet.
        if (fresh.length && !this.#following) {
          this.#awaited = 0;
          await this.#joinAll(fresh);
        }
      }
      return this.#pending.size > 0 || this.#awaited > 0;
    });
    this.#watching = false;
  }

  async #listRuns() {
    return this.#orNone(`/threads/${encodeURIComponent(this.threadId)}/runs?limit=20`);
  }

  // A thread of another surface has no runs, and a client's key may see no timelines: the messages are there anyway.
  async #orNone(path) {
    try {
      return await get(path, { signal: this.signal });
    } catch (problem) {
      if (problem instanceof ApiError) return [];
      throw problem;
    }
  }

  async #citationsOf(runId) {
    let found = [];
    const receive = ({ name, data }) => {
      if (name === "custom" && data.type === "answer") found = data.citations;
    };
    await joinRun(this.threadId, runId, { signal: this.signal, receive });
    return found;
  }

  #isNearEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < 120;
  }

  #toEnd(wanted) {
    if (wanted) this.scroller.scrollTop = this.scroller.scrollHeight;
  }
}

function textOf(content) {
  return typeof content === "string"
    ? content
    : content
        .filter((part) => part.type === "text")
        .map((part) => part.text)
        .join("");
}

// A file that was sent is shown by its name as the server keeps it: its bytes are read, and gone.
function filesOf(content) {
  return typeof content === "string"
    ? []
    : content.filter((part) => part.type === "attachment").map((part) => part.attachment.name);
}
