// An address that leads nowhere, or where this role may not go.

import { fill, h } from "../parts/dom.js";
import { empty } from "../parts/states.js";

export function show({ host }) {
  fill(
    host,
    h("h1", { class: "unseen" }, "Not here"),
    empty(
      "There is nothing here for your key.",
      "The address is wrong, or the page is for another role.",
      h("a", { class: "button", href: "#/chat" }, "Go to the chat"),
    ),
  );
}
