// Questions in front of the page. The browser's own dialog keeps the focus inside, closes on Escape and gives it back.

import { h, uid } from "./dom.js";
import { icon } from "./icons.js";

/**
 * Ask, and resolve to what `confirm()` returns, or to null when it was called off. While `confirm` works the button
 * waits; what it throws is shown in the dialog, which stays open. Without `confirm` it only shows.
 */
export function ask({ title, body, action = "OK", danger = false, confirm = null, explain = null }) {
  const heading = uid("dialog");
  const problem = h("p", { class: "field-problem", role: "alert" });
  const close = h("button", { class: "icon-button", type: "button", "aria-label": "Close" }, icon("close"));
  const cancel = h("button", { class: "button", type: "button" }, confirm ? "Cancel" : "Close");
  const yes = confirm && h("button", { class: danger ? "button danger" : "button primary", type: "submit" }, action);
  const form = h(
    "form",
    { method: "dialog", novalidate: true },
    h("header", {}, h("h2", { id: heading }, title), close),
    h("div", { class: "dialog-body" }, explain && h("p", { class: "faint" }, explain), body, problem),
    h("footer", {}, cancel, yes),
  );
  const dialog = h("dialog", { "aria-labelledby": heading }, form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    let answer = null;
    for (const button of [close, cancel]) button.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      yes.disabled = true;
      problem.textContent = "";
      try {
        answer = (await confirm()) ?? true;
        dialog.close();
      } catch (said) {
        problem.textContent = said.message + (said.requestId ? ` (request ${said.requestId})` : "");
        yes.disabled = false;
      }
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    dialog.showModal();
    form.querySelector("[autofocus], textarea, input, select")?.focus();
  });
}
