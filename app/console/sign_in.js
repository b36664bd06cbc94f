// The door: a key, kept for this tab or on this device.

import { get } from "./api.js";
import { h } from "./parts/dom.js";
import { field } from "./parts/field.js";
import { keepKey } from "./session.js";

/** The sign-in form; `done()` is called when the key was good and is kept. */
export function signIn({ message, done }) {
  const key = h("input", {
    type: "password",
    name: "key",
    autocomplete: "current-password",
    autocapitalize: "off",
    spellcheck: "false",
    placeholder: "wsk_…",
  });
  const remember = h("input", { type: "checkbox", id: "remember" });
  const problem = h("p", { class: "field-problem", role: "alert" }, message);
  const enter = h("button", { class: "button primary wide", type: "submit" }, "Sign in");
  const form = h(
    "form",
    { class: "card door" },
    h("img", { src: "/console/logo.svg", alt: "", width: 56, height: 56 }),
    h("h1", {}, "Wayside"),
    h("p", { class: "faint" }, "Chat with the assistant, work on tickets, decide what waits for people."),
    field("API key", key),
    h("div", { class: "check" }, remember, h("label", { for: "remember" }, "Remember on this device")),
    problem,
    enter,
    h(
      "details",
      { class: "help" },
      h("summary", {}, "Where do I find a key?"),
      h(
        "p",
        {},
        "The first start writes the admin’s key to ",
        h("code", {}, ".wayside/admin.key"),
        " in the folder it was started from.",
      ),
      h("p", {}, "For somebody else, make one of their own:"),
      h("pre", { tabindex: "0" }, '.venv/bin/wayside keys create "Ann" --role staff'),
    ),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.textContent = "";
    const given = key.value.trim();
    if (!/^[!-~]+$/.test(given)) {
      problem.textContent = "Enter your API key.";
      return key.focus();
    }
    enter.disabled = true;
    try {
      await get("/api/me", { key: given });
    } catch (refused) {
      problem.textContent = refused.message + (refused.requestId ? ` (request ${refused.requestId})` : "");
      enter.disabled = false;
      return key.focus();
    }
    keepKey(given, remember.checked);
    done();
  });
  return h("main", { class: "threshold", id: "main", tabindex: "-1" }, form);
}
