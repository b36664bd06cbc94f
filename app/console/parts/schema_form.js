// A form for a call's arguments, out of the tool's JSON schema; without a schema, one field of JSON.

import { field } from "./field.js";
import { h } from "./dom.js";
import { sentence } from "./words.js";

const LONG = 200;

/**
 * `{element, read}`: `read()` gives the arguments as they stand in the fields, and throws an Error that says which
 * field is not as it must be. Values keep the type that they came with: an amount that was a string stays one.
 */
export function schemaForm(schema, values = {}) {
  const properties = schema?.properties;
  if (!properties || Object.keys(values).some((name) => !(name in properties))) return jsonForm(values);
  const needed = new Set(schema.required ?? []);
  const fields = Object.entries(properties).map(([name, own]) =>
    argument(name, resolved(own, schema), values[name], needed.has(name)),
  );
  return {
    element: h(
      "div",
      { class: "fields" },
      fields.map((each) => each.element),
    ),
    read: () =>
      Object.fromEntries(fields.map((each) => [each.name, each.read()]).filter(([, value]) => value !== undefined)),
  };
}

function jsonForm(values) {
  const control = h("textarea", {
    rows: 8,
    class: "mono",
    spellcheck: "false",
    value: JSON.stringify(values, null, 2),
  });
  const read = () => {
    let read;
    try {
      read = JSON.parse(control.value);
    } catch (problem) {
      throw new Error(`The arguments are not JSON: ${problem.message}`);
    }
    if (read === null || typeof read !== "object" || Array.isArray(read))
      throw new Error("The arguments are a JSON object.");
    return read;
  };
  return { element: field("Arguments as JSON", control), read };
}

function argument(name, own, value, needed) {
  const { control, read } = controlFor(own, value);
  if (needed) control.setAttribute("aria-required", "true");
  const label = needed ? sentence(name) : `${sentence(name)} (optional)`;
  const checked = () => {
    const given = read();
    control.setAttribute("aria-invalid", String(given === undefined && needed));
    if (given === undefined && needed) throw new Error(`${sentence(name)} is missing.`);
    return given;
  };
  return { name, element: field(label, control, own.description), read: checked };
}

function controlFor(own, value) {
  if (own.enum) {
    const options = ["", ...own.enum].map((each) =>
      h("option", { value: each, selected: each === value }, each || "–"),
    );
    const control = h("select", {}, options);
    return { control, read: () => control.value || undefined };
  }
  if (own.type === "boolean") {
    const control = h("input", { type: "checkbox", checked: value === true });
    return { control, read: () => control.checked };
  }
  if (own.type === "integer" || own.type === "number") return numberControl(own, value);
  if (own.type === "string") {
    const long = (own.maxLength ?? Infinity) > LONG;
    const control = long
      ? h("textarea", { rows: 3 })
      : h("input", { type: "text", maxlength: own.maxLength, autocomplete: "off" });
    control.value = value ?? "";
    return { control, read: () => control.value || undefined };
  }
  const control = h("textarea", {
    rows: 3,
    class: "mono",
    spellcheck: "false",
    value: value === undefined ? "" : JSON.stringify(value),
  });
  return { control, read: () => (control.value.trim() ? JSON.parse(control.value) : undefined) };
}

function numberControl(own, value) {
  const whole = own.type === "integer";
  const control = h("input", {
    type: "text",
    inputmode: whole ? "numeric" : "decimal",
    autocomplete: "off",
    value: value ?? "",
  });
  const read = () => {
    const text = control.value.trim();
    if (!text) return undefined;
    if (!(whole ? /^-?\d+$/ : /^-?\d+(\.\d+)?$/).test(text))
      throw new Error(`${text} is not a ${whole ? "whole number" : "number"}.`);
    return typeof value === "string" ? text : Number(text);
  };
  return { control, read };
}

/** The schema behind a reference, and of "this or nothing" the this. */
function resolved(own, root) {
  if (own.$ref) return { ...own, ...resolved(root.$defs?.[own.$ref.split("/").at(-1)] ?? {}, root), $ref: undefined };
  const something = (own.anyOf ?? own.oneOf ?? []).filter((each) => each.type !== "null");
  return something.length === 1 ? { ...own, ...resolved(something[0], root) } : own;
}
