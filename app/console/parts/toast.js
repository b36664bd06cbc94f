// A short word about what was done or refused; read out, and gone after a while.

import { ApiError } from "../api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";

const SECONDS = 7;

export function toast(text, { bad = false, requestId = null } = {}) {
  const close = h("button", { class: "icon-button", type: "button", "aria-label": "Dismiss" }, icon("close"));
  const note = requestId && h("span", { class: "request" }, "Request ", h("code", {}, requestId));
  const shown = h(
    "div",
    { class: bad ? "toast bad" : "toast" },
    icon(bad ? "alert" : "check"),
    h("p", {}, text, note),
    close,
  );
  const timer = setTimeout(() => shown.remove(), (bad ? 3 : 1) * SECONDS * 1000);
  close.addEventListener("click", () => {
    clearTimeout(timer);
    shown.remove();
  });
  const toasts = document.querySelector("#toasts");
  // One good word at a time, so that they never pile up over what is being read; what went wrong stays.
  if (!bad) for (const each of toasts.querySelectorAll(".toast:not(.bad)")) each.remove();
  toasts.append(shown);
}

/** Tell what the API refused. */
export function complain(problem) {
  if (!(problem instanceof ApiError)) console.error(problem);
  toast(problem.message, { bad: true, requestId: problem.requestId });
}

/** Do something while its button waits; tell what was refused. Returns whether it was done. */
export async function attempt(button, something) {
  // Not `disabled`, which would take the focus away.
  if (button.getAttribute("aria-busy") === "true") return false;
  button.setAttribute("aria-busy", "true");
  try {
    await something();
    return true;
  } catch (problem) {
    complain(problem);
    return false;
  } finally {
    button.removeAttribute("aria-busy");
  }
}
