// A customer's orders, beside the ticket.

import { get, query } from "../api.js";
import { fill, h } from "./dom.js";
import { load } from "./states.js";
import { onDay } from "./time.js";
import { badge, status } from "./words.js";

/** Show the orders of the ticket's customer in `host`; the one that the ticket is about stands open. */
export async function showOrders(host, ticket, signal) {
  fill(host, h("h3", {}, "The customer’s orders"));
  if (!ticket.customer_id) return host.append(h("p", { class: "faint" }, "The ticket names no customer."));
  const body = h("div");
  host.append(body);
  const path = query("/api/orders", { customer_id: ticket.customer_id, limit: 10 });
  await load(
    body,
    signal,
    () => get(path, { signal }),
    ({ data }) => {
      if (!data.length) return h("p", { class: "faint" }, "No orders.");
      return h(
        "ul",
        { class: "orders" },
        data.map((each) => order(each, each.id === ticket.order_id)),
      );
    },
  );
}

function order(each, named) {
  const lines = each.lines.map((line) => h("li", {}, `${line.quantity} × ${line.sku} at ${line.unit_price}`));
  return h(
    "li",
    {},
    h(
      "details",
      { open: named },
      h(
        "summary",
        {},
        h("code", {}, each.id),
        status(each.status),
        named && badge("this ticket", "good"),
        h("span", { class: "grow" }),
        h("span", { class: "number" }, each.total),
      ),
      h(
        "dl",
        { class: "terms" },
        pair("Placed", onDay(each.placed)),
        pair("Delivered", each.delivered ? onDay(each.delivered) : "not yet"),
        pair("Charged", each.charged),
        pair("Refunded", each.refunded),
        pair("Carrier", [each.carrier, each.tracking].filter(Boolean).join(" · ") || "–"),
        pair("Address", each.address),
      ),
      h("ul", { class: "faint small" }, lines),
    ),
  );
}

function pair(term, value) {
  return [h("dt", {}, term), h("dd", {}, value)];
}
