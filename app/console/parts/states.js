// What a place shows while it has nothing to show: loading, empty, failed.

import { ApiError } from "../api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";

export function loading(label = "Loading") {
  const lines = [1, 2, 3].map(() => h("span", { class: "bone" }));
  return h("div", { class: "state loading", role: "status" }, h("span", { class: "unseen" }, `${label}…`), lines);
}

export function empty(title, text = null, ...actions) {
  return h("div", { class: "state empty" }, h("p", { class: "state-title" }, title), text && h("p", {}, text), actions);
}

/** What went wrong, in the API's own words, with the id to quote. `retry` makes a button. */
export function failure(problem, retry = null) {
  const said = problem instanceof ApiError ? problem.message : `Something went wrong on this page: ${problem.message}`;
  if (!(problem instanceof ApiError)) console.error(problem);
  return h(
    "div",
    { class: "state failed", role: "alert" },
    h("p", { class: "state-title" }, icon("alert"), said),
    problem.requestId && h("p", { class: "request" }, "Request ", h("code", {}, problem.requestId)),
    retry && h("button", { class: "button", type: "button", on: { click: retry } }, "Try again"),
  );
}

/** Show `loading` in `host`, then what `render` makes of `fetcher`'s find, or the failure and a way to try again. */
export async function load(host, signal, fetcher, render, label) {
  fill(host, loading(label));
  host.setAttribute("aria-busy", "true");
  try {
    const found = await fetcher();
    if (signal.aborted) return;
    fill(host, render(found));
  } catch (problem) {
    if (signal.aborted) return;
    fill(
      host,
      failure(problem, () => load(host, signal, fetcher, render, label)),
    );
  } finally {
    host.removeAttribute("aria-busy");
  }
}
