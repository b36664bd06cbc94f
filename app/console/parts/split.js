// A list beside what is chosen from it; on a phone one after the other, with a way back.

import { fill, h } from "./dom.js";
import { icon } from "./icons.js";

/**
 * `{element, list, detail, choose}`. `choose(id, label)` shows the detail's side on a phone (null: the list's), marks
 * the list's link whose `data-id` it is, and moves the focus to the detail's heading when there is one.
 */
export function split({ title, back, actions = [], listLabel }) {
  const list = h("div", { class: "split-list-body" });
  const detail = h("section", { class: "split-detail", "aria-label": title });
  const side = h(
    "section",
    { class: "split-list", "aria-label": listLabel },
    h("header", { class: "page-head" }, h("h1", { tabindex: "-1" }, title), actions),
    list,
  );
  const element = h("div", { class: "split" }, side, detail);
  let chosen = null;
  const mark = () => {
    for (const link of list.querySelectorAll("[data-id]")) {
      if (link.dataset.id === chosen) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  const choose = (id) => {
    chosen = id;
    element.classList.toggle("chosen", id !== null);
    mark();
    detail.scrollTop = 0;
  };
  return { element, list, detail, choose, mark, back: () => backLink(back, title) };
}

export function backLink(address, label) {
  return h("a", { class: "back", href: address }, icon("back"), label);
}

/** A list of links; `render` gives each its address, id and content. Says `nothing` when there is none. */
export function links(items, render, nothing) {
  if (!items.length) return nothing;
  return h(
    "ul",
    { class: "rows" },
    items.map((item) => {
      const { address, id, content } = render(item);
      return h("li", {}, h("a", { href: address, class: "row", "data-id": id }, content));
    }),
  );
}

/** Fill a list of links anew, and keep its place and the focus of the link that has it. */
export function refill(host, ...children) {
  const top = host.scrollTop;
  const focused = host.contains(document.activeElement) && document.activeElement.getAttribute("href");
  fill(host, ...children);
  host.scrollTop = top;
  if (focused) host.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}
