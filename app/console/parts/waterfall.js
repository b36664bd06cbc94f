// The steps of a turn over its time: a picture, whose every bar opens its details, and the same as a table.

import { h } from "./dom.js";
import { duration } from "./time.js";
import { json, sentence, toolTitle } from "./words.js";

const KINDS = { node: "step", tool: "tool", model: "model", media: "media" };

export function waterfall(turn) {
  const whole = Math.max(turn.ms, ...turn.steps.map((step) => step.at_ms + (step.ms ?? 0)), 1);
  if (!turn.steps.length) return h("p", { class: "faint" }, "No steps were recorded.");
  return h(
    "section",
    { class: "block" },
    h("h3", {}, "Steps"),
    h(
      "ol",
      { class: "waterfall" },
      turn.steps.map((step) => h("li", {}, row(step, whole))),
    ),
    h(
      "div",
      { class: "axis", "aria-hidden": "true" },
      h("span", {}, "0"),
      h("span", {}, duration(whole / 2)),
      h("span", {}, duration(whole)),
    ),
    h("details", { class: "as-table" }, h("summary", {}, "The steps as a table"), table(turn.steps)),
  );
}

function row(step, whole) {
  const share = (step.ms ?? whole - step.at_ms) / whole;
  const bar = h("span", {
    class: `bar ${step.kind}${step.ms === null ? " open" : ""}`,
    style: { "--from": String(step.at_ms / whole), "--share": String(share) },
  });
  return h(
    "details",
    {},
    h(
      "summary",
      {},
      h(
        "span",
        { class: "step-name" },
        h("span", { class: `dot ${step.kind}`, "aria-hidden": "true" }),
        named(step),
        " ",
        h("span", { class: "faint small" }, KINDS[step.kind] ?? step.kind),
      ),
      h("span", { class: "track", "aria-hidden": "true" }, bar),
      h("span", { class: "number" }, took(step)),
    ),
    Object.keys(step.detail).length ? json(step.detail) : h("p", { class: "faint small" }, "Nothing more was recorded."),
  );
}

function table(steps) {
  const head = ["Step", "Kind", "Begins", "Takes", "Tokens"].map((text) => h("th", { scope: "col" }, text));
  const rows = steps.map((step) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, named(step)),
      h("td", {}, KINDS[step.kind] ?? step.kind),
      h("td", { class: "number" }, duration(step.at_ms)),
      h("td", { class: "number" }, took(step)),
      h("td", { class: "number" }, tokens(step)),
    ),
  );
  return h(
    "div",
    { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "Steps" },
    h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows)),
  );
}

function named(step) {
  if (step.kind === "model") return step.name;
  return step.kind === "tool" ? toolTitle(step.name) : sentence(step.name);
}

function took({ ms }) {
  return ms === null ? "no end" : duration(ms);
}

function tokens({ detail }) {
  return detail.prompt_tokens === undefined ? "–" : `${detail.prompt_tokens} + ${detail.completion_tokens}`;
}
