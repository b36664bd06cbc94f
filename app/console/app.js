// Begins: signs in, then puts the shell around the pages.

import { ApiError, get } from "./api.js";
import { atLeast, forgetKey, session, storedKey } from "./session.js";
import { everySoOften } from "./stream.js";
import { failure } from "./parts/states.js";
import { fill } from "./parts/dom.js";
import { go, href, Router } from "./router.js";
import { signIn } from "./sign_in.js";
import { shell } from "./shell.js";
import { allowed } from "./pages.js";

const COUNT_MS = 30_000;
const app = document.querySelector("#app");
let router = null;
let showCount = null;
let leaving = new AbortController();

async function start(message = null) {
  router?.stop();
  leaving.abort();
  leaving = new AbortController();
  session.me = null;
  if (!storedKey()) return showSignIn(message);
  try {
    session.me = await get("/api/me", { signal: leaving.signal });
  } catch (problem) {
    if (problem instanceof ApiError && problem.status === 401) return; // the event below asks for a key
    return fill(
      app,
      failure(problem, () => start()),
    );
  }
  const { main, frame, count } = shell({ signOut });
  showCount = count;
  fill(app, frame);
  router = new Router(openPage, main, href("chat", ["new"]));
  await router.show();
  if (atLeast("staff")) everySoOften(COUNT_MS, leaving.signal, countApprovals);
}

async function openPage(name) {
  const entry = allowed().find((each) => each.name === name);
  if (!entry) return { page: await import("./pages/missing.js"), title: "Not here" };
  return { page: await entry.open(), title: entry.title };
}

async function countApprovals() {
  try {
    const { data, has_more: more } = await get("/api/approvals?status=pending&limit=50", { signal: leaving.signal });
    showCount(data.length, more);
  } catch (problem) {
    // The number in the menu is a courtesy: the page itself says what is wrong.
    if (!(problem instanceof ApiError) && !leaving.signal.aborted) throw problem;
  }
}

function showSignIn(message) {
  document.title = "Sign in · Wayside";
  fill(app, signIn({ message, done: () => start() }));
  app.querySelector("input")?.focus();
}

function signOut() {
  forgetKey();
  go("");
  start();
}

addEventListener("wayside:waiting", () => countApprovals());

addEventListener("wayside:unauthenticated", ({ detail }) => {
  // The key that is kept is not good any more. While signing in, the form itself says so.
  if (!storedKey()) return;
  forgetKey();
  start(detail.message);
});

// A page that is left gives up what it was loading, and nobody waits for that any more.
addEventListener("unhandledrejection", (event) => {
  if (event.reason?.name === "AbortError") event.preventDefault();
});

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.querySelector("#main, #app input")?.focus();
});

start();
