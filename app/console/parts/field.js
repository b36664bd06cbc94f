// Labelled form fields.

import { h, uid } from "./dom.js";

/** A field: its label, its control and, where there is one, a hint that belongs to it. */
export function field(label, control, hint = null) {
  const id = (control.id ||= uid("field"));
  const note = hint && h("p", { class: "hint", id: `${id}-hint` }, hint);
  if (note) control.setAttribute("aria-describedby", note.id);
  return h("div", { class: "field" }, h("label", { for: id }, label), control, note);
}

export function choice(options, selected, attributes = {}) {
  const made = options.map((each) => {
    const [value, text] = Array.isArray(each) ? each : [each, each];
    return h("option", { value, selected: value === selected }, text);
  });
  return h("select", attributes, made);
}

export function button(text, click, { kind = "", ...attributes } = {}) {
  const made = h("button", { type: "button", class: `button ${kind}`.trim(), ...attributes }, text);
  if (click) made.addEventListener("click", () => click(made));
  return made;
}
