// How the API's words are said to people.

import { h } from "./dom.js";

const TOOLS = {
  search_help_center: ["searching the help centre", "Search the help centre"],
  list_orders: ["looking through orders", "List orders"],
  lookup_order: ["looking up the order", "Look up an order"],
  create_ticket: ["opening a ticket", "Open a ticket"],
  update_ticket: ["updating the ticket", "Update a ticket"],
  cancel_order: ["cancelling the order", "Cancel an order"],
  change_delivery_address: ["changing the delivery address", "Change a delivery address"],
  issue_refund: ["paying money back", "Issue a refund"],
  escalate_to_human: ["handing over to a person", "Hand over to a person"],
  search_catalog: ["searching the catalogue", "Search the catalogue"],
  check_stock: ["checking stock", "Check stock"],
  forecast_demand: ["forecasting demand", "Forecast demand"],
  suggest_reorders: ["working out what to reorder", "Suggest reorders"],
  create_purchase_order: ["drafting a purchase order", "Place a purchase order"],
  track_purchase_order: ["tracking the purchase order", "Track a purchase order"],
  confirm_delivery: ["confirming the delivery", "Confirm a delivery"],
  recommend_products: ["choosing products", "Recommend products"],
};

/** "Issue a refund"; a tool that is not ours is said as its name. */
export function toolTitle(tool) {
  return TOOLS[tool]?.[1] ?? sentence(tool);
}

/** "looking up the order ORD-10421". */
export function toolAtWork(tool, parameters) {
  const named = Object.values(parameters ?? {}).find((value) => /^[A-Z]{2,4}-\d+$/.test(String(value)));
  return `${TOOLS[tool]?.[0] ?? `using ${sentence(tool)}`}${named ? ` ${named}` : ""}`;
}

/** `order_id` → "Order id". */
export function sentence(word) {
  const words = String(word).replaceAll("_", " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A value in a line: text as it is, everything else as JSON. */
export function spoken(value) {
  if (typeof value === "string") return value;
  return value === null || value === undefined ? "–" : JSON.stringify(value);
}

/** A member for each of an object's members, as a list of terms. */
export function terms(object, changed = new Set()) {
  const rows = Object.entries(object ?? {}).map(([name, value]) => [
    h("dt", {}, sentence(name)),
    h("dd", { class: changed.has(name) ? "changed" : null }, spoken(value)),
  ]);
  return rows.length ? h("dl", { class: "terms" }, rows) : h("p", { class: "faint" }, "No arguments.");
}

/** A value as JSON to look at. */
export function json(value) {
  return h("pre", { tabindex: "0" }, JSON.stringify(value, null, 2));
}

/** A small word with a colour of its own; the word says it all, the colour only helps. */
export function badge(text, mood = "") {
  return h("span", { class: `badge ${mood}`.trim() }, text);
}

const MOODS = {
  pending: "warn",
  open: "warn",
  interrupted: "warn",
  queued: "warn",
  indexing: "warn",
  working: "warn",
  busy: "warn",
  high: "warn",
  approved: "good",
  done: "good",
  resolved: "good",
  ready: "good",
  success: "good",
  verbatim: "good",
  supported: "good",
  rejected: "bad",
  refused: "bad",
  failed: "bad",
  error: "bad",
  urgent: "bad",
  unsupported: "bad",
};

export function status(word) {
  return badge(word, MOODS[word] ?? "");
}

export function percent(share) {
  return share.toLocaleString(undefined, { style: "percent", maximumFractionDigits: 0 });
}
