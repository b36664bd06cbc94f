// Addresses: `#/page/part/part?name=value`. One page at a time; what it started ends with it.

import { ApiError, send, UNREACHABLE } from "./api.js";
import { fill, h } from "./parts/dom.js";
import { failure, loading } from "./parts/states.js";
import { complain } from "./parts/toast.js";

/** The address of a page. */
export function href(page, parts = [], parameters = {}) {
  const told = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value)).toString();
  return `#/${[page, ...parts].map(encodeURIComponent).join("/")}${told ? `?${told}` : ""}`;
}

export function parse(hash) {
  const [path, told = ""] = hash.replace(/^#\/?/, "").split("?");
  const [page, ...parts] = path.split("/").filter(Boolean).map(decoded);
  return { page: page ?? "", parts, query: Object.fromEntries(new URLSearchParams(told)) };
}

export function go(address) {
  location.hash = address;
}

/** Change the address in place: no page is shown anew. */
export function settle(address) {
  history.replaceState(null, "", address);
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * Show pages as the address changes. `open(name)` gives a page's module, `host` is where it goes, `home` the address
 * that no address stands for.
 * A page is `{title, show({host, route, signal})}`; `show` may return `{update(route)}`, which is then called
 * for every other address of the same page.
 */
export class Router {
  #open;
  #host;
  #current = null;
  #told = null; // the address that was asked for last
  #leaving = new AbortController();
  #stopped = new AbortController();

  constructor(open, host, home) {
    this.#open = open;
    this.home = home;
    this.#host = host;
    addEventListener("hashchange", () => this.show(), { signal: this.#stopped.signal });
  }

  async show() {
    if (!parse(location.hash).page) settle(this.home);
    const route = parse(location.hash);
    this.#host.setAttribute("aria-busy", "true");
    const told = (this.#told = {});
    const update = this.#current?.name === route.page && this.#current.shown?.update;
    await (update ? update(route) : this.#change(route));
    if (told === this.#told) this.#host.removeAttribute("aria-busy");
  }

  async #change(route) {
    this.#leaving.abort();
    const leaving = (this.#leaving = new AbortController());
    const first = this.#current === null;
    this.#current = { name: route.page, shown: null };
    if (first) fill(this.#host, loading("Loading the page"));
    const opened = await this.#open(route.page).catch((problem) => ({ problem }));
    if (leaving.signal.aborted) return;
    if (opened.problem instanceof TypeError) return this.#unopened(route); // what an import throws that got no answer
    if (opened.problem) throw opened.problem;
    const { page, title } = opened;
    document.title = `${title} · Wayside`;
    this.#host.replaceChildren();
    this.#host.dataset.page = route.page;
    const showing = page.show({ host: this.#host, route, signal: leaving.signal });
    if (!first && !this.#host.contains(document.activeElement)) this.#host.querySelector("h1")?.focus();
    const shown = await showing;
    if (leaving === this.#leaving) this.#current.shown = shown;
  }

  // The page's own files did not come: the server is away. A browser may remember that, so it is loaded anew.
  #unopened(route) {
    this.#current = null;
    this.#host.dataset.page = route.page;
    const again = async () => {
      await send("HEAD", "/console");
      location.reload();
    };
    fill(
      this.#host,
      h("h1", { class: "unseen", tabindex: "-1" }, "Not loaded"),
      failure(new ApiError(UNREACHABLE), () => again().catch(complain)),
    );
  }

  stop() {
    this.#leaving.abort();
    this.#stopped.abort();
  }
}
