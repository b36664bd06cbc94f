// A run's events, followed to their end whatever happens to the connection.

import { ApiError, fresh, send } from "./api.js";

const ATTEMPTS = 10;
const LAST = ["end", "error"];

/** Start a run on a thread and follow it; see `follow`. */
export async function startRun(threadId, body, options) {
  const headers = { "idempotency-key": fresh(), accept: "text/event-stream" };
  const path = `/threads/${encodeURIComponent(threadId)}/runs/stream`;
  // Sent again under the same key, the request finds the run that it made.
  const open = () => send("POST", path, { body, headers, signal: options.signal });
  return follow({ ...options, open });
}

/** Follow a run that is there already, from its first event. */
export async function joinRun(threadId, runId, options) {
  return follow({ ...options, path: `/threads/${encodeURIComponent(threadId)}/runs/${encodeURIComponent(runId)}` });
}

/**
 * Hand each event `{id, name, data}` to `receive` once and in order, until the run's last one.
 * `link` is told "open" and "lost" as the connection comes and goes; after a cut it begins behind the last event.
 * Throws what cannot be mended: a refusal, or a server that stays away.
 */
export async function follow({ open, path = null, signal, receive, link = () => {} }) {
  let last = null;
  let failures = 0;
  for (;;) {
    try {
      const response = await (path ? rejoin(path, last, signal) : open());
      path ??= runPath(response);
      link("open");
      for await (const event of parse(response.body)) {
        failures = 0;
        last = event.id ?? last;
        receive(event);
        if (LAST.includes(event.name)) return;
      }
    } catch (problem) {
      if (signal?.aborted) throw problem;
      if (!(problem instanceof ApiError && problem.passing) || failures >= ATTEMPTS) throw problem;
    }
    failures += 1;
    link("lost");
    await pause(Math.min(250 * 2 ** failures, 8000), signal);
  }
}

/** Parse server-sent events out of a body: comments are dropped, half an event at the end as well. */
export async function* parse(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(brokenOff);
      if (done) return;
      const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
      rest = blocks.pop();
      yield* blocks.map(read).filter(Boolean);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function brokenOff(problem) {
  if (problem.name === "AbortError") throw problem;
  throw new ApiError("The connection broke off.");
}

function read(block) {
  const event = { id: null, name: "message", data: null };
  const data = [];
  for (const line of block.split("\n")) {
    const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
    if (field === "id") event.id = value;
    if (field === "event") event.name = value;
    if (field === "data") data.push(value);
  }
  if (!data.length) return null;
  event.data = JSON.parse(data.join("\n"));
  return event;
}

function rejoin(path, last, signal) {
  const headers = { accept: "text/event-stream", ...(last === null ? {} : { "last-event-id": last }) };
  return send("GET", `${path}/stream`, { headers, signal });
}

function runPath(response) {
  const path = response.headers.get("content-location") ?? "";
  return /^\/threads\/[^/]+\/runs\/[^/]+$/.test(path) ? path : null;
}

/** Wait; a device that is back on the line, or a page that is looked at again, need not wait to the end. */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const until = { signal: over.signal };
    const finish = () => {
      over.abort();
      clearTimeout(timer);
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    addEventListener("online", finish, until);
    document.addEventListener("visibilitychange", () => document.hidden || finish(), until);
    signal?.addEventListener("abort", finish, until);
    if (signal?.aborted) finish();
  });
}

/** Do something now and every `milliseconds` while the page is looked at, until `signal` or until it returns false. */
export async function everySoOften(milliseconds, signal, something) {
  while (!signal.aborted) {
    if (!document.hidden && (await something()) === false) return;
    try {
      await pause(milliseconds, signal);
    } catch {
      return;
    }
  }
}
