// What stands around every page: the name, the menu, who is signed in.

import { allowed } from "./pages.js";
import { ask } from "./parts/dialog.js";
import { h } from "./parts/dom.js";
import { icon } from "./parts/icons.js";
import { parse } from "./router.js";
import { session } from "./session.js";
import { terms } from "./parts/words.js";

/** `{frame, main, count}`: the whole, where pages go, and how many approvals wait (shown in the menu). */
export function shell({ signOut }) {
  const waiting = h("span", { class: "count", hidden: true });
  const links = allowed().map((page) =>
    h(
      "a",
      { href: `#/${page.name}`, "data-page": page.name },
      icon(page.icon),
      h("span", { class: page.short && "long" }, page.title),
      page.short && h("span", { class: "short" }, page.short),
      page.name === "approvals" && waiting,
    ),
  );
  const nav = h("nav", { class: "menu", "aria-label": "Pages" }, links);
  const who = h(
    "button",
    { type: "button", class: "who" },
    icon("person"),
    h("span", { class: "who-role" }, session.me.role),
    h("span", { class: "unseen" }, ", your key"),
  );
  who.addEventListener("click", () => account(signOut));
  const main = h("main", { id: "main", tabindex: "-1" });
  const mark = () => {
    const { page } = parse(location.hash);
    for (const link of links) {
      if (link.dataset.page === page) {
        link.setAttribute("aria-current", "page");
        link.scrollIntoView({ block: "nearest", inline: "nearest" });
      } else link.removeAttribute("aria-current");
    }
  };
  new MutationObserver(mark).observe(main, { attributes: true, attributeFilter: ["data-page"] });
  const brand = h(
    "a",
    { class: "brand", href: "#/chat/new" },
    h("img", { src: "/console/logo.svg", alt: "", width: 32, height: 32 }),
    h("span", {}, "Wayside"),
  );
  const frame = h("div", { class: "frame" }, h("header", { class: "side" }, brand, nav, who), main);
  const count = (number, more) => {
    waiting.hidden = number === 0;
    waiting.textContent = more ? `${number}+` : String(number);
    waiting.setAttribute("aria-label", `${waiting.textContent} waiting`);
  };
  return { frame, main, count };
}

async function account(signOut) {
  const { role, tenant, key_id: key, customer_id: customer } = session.me;
  const body = terms({ role, tenant, key, ...(customer ? { customer } : {}) });
  if (
    await ask({
      title: "Your key",
      body,
      action: "Sign out",
      explain: "Signing out forgets the key in this browser.",
      confirm: () => true,
    })
  )
    signOut();
}
