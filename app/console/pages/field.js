// Field report: take photos, speak notes, send them in, and read what becomes of them.

import { ApiError, fresh, get, query, refusal, remove } from "../api.js";
import { storedKey } from "../session.js";
import { href, go } from "../router.js";
import { camera, microphone } from "../parts/capture.js";
import { ask } from "../parts/dialog.js";
import { fill, h } from "../parts/dom.js";
import { download, reportBody } from "../parts/field_report.js";
import { button, field } from "../parts/field.js";
import { icon } from "../parts/icons.js";
import { empty, failure, load, loading } from "../parts/states.js";
import { everySoOften } from "../stream.js";
import { ago } from "../parts/time.js";
import { attempt, toast } from "../parts/toast.js";
import { status } from "../parts/words.js";

const AGAIN_MS = 1000;
const API = "/api/field-reports";

export async function show({ host, route, signal }) {
  const [id] = route.parts;
  if (id) return one(host, id, signal);
  const list = h("section", { class: "block", "aria-label": "Reports" });
  fill(
    host,
    h(
      "div",
      { class: "page" },
      h("header", { class: "page-head" }, h("h1", { tabindex: "-1" }, "Field report")),
      h("div", { class: "field-columns" }, desk(signal), list),
    ),
  );
  await load(list, signal, () => get(query(API, { limit: 50 }), { signal }), reports, "Loading reports");
}

function reports({ data }) {
  const heading = h("h2", {}, "Reports");
  if (!data.length) return [heading, empty("No reports yet", "What you send in is listed here.")];
  const row = (each) =>
    h(
      "li",
      {},
      h(
        "a",
        { class: "row", href: href("field", [each.id]) },
        h("span", { class: "row-title" }, each.site || "Without a site"),
        h(
          "span",
          { class: "row-note" },
          status(each.status),
          h("span", {}, `${each.photos.length} photos, ${each.notes.length} notes`),
          ago(each.created_at),
        ),
      ),
    );
  return [heading, h("ul", { class: "rows cards-list" }, data.map(row))];
}

/** Where photos and notes are gathered until they are sent. */
function desk(signal) {
  let gathered = [];
  const rows = h("ul", { class: "captured", "aria-label": "Captured" });
  const site = h("input", { maxlength: 200, autocomplete: "off" });
  const inspector = h("input", { maxlength: 200, autocomplete: "name" });
  const text = h("textarea", { maxlength: 20000, rows: 3 });
  const once = { key: null };
  const draw = () => fill(rows, gathered.map((each, place) => row(each, place)));
  const take = (kind) => (file, at) => {
    gathered = [...gathered, { kind, file, at, address: URL.createObjectURL(file) }];
    once.key = null;
    draw();
    toast(kind === "photo" ? "The photo is added." : "The note is added.");
  };
  const row = (each, place) => {
    const number = gathered.slice(0, place + 1).filter(({ kind }) => kind === each.kind).length;
    const name = `${each.kind === "photo" ? "Photo" : "Note"} ${number}`;
    const drop = () => {
      URL.revokeObjectURL(each.address);
      gathered = gathered.filter((other) => other !== each);
      once.key = null;
      draw();
      (rows.querySelector("button") ?? send).focus();
    };
    return h(
      "li",
      {},
      each.kind === "photo" ? h("img", { src: each.address, alt: name }) : h("span", { class: "glyph" }, icon("microphone")),
      h("span", {}, h("span", { class: "row-title" }, name), h("span", { class: "row-note" }, ago(each.at.toISOString()))),
      h("button", { type: "button", class: "icon-button", "aria-label": `Remove ${name}`, on: { click: drop } }, icon("trash")),
      each.kind === "note" && h("audio", { src: each.address, controls: true, preload: "metadata", "aria-label": name }),
    );
  };
  const eye = camera({ take: take("photo"), signal });
  const ear = microphone({ take: take("note"), signal });
  const progress = h("progress", { value: 0, max: 1, hidden: true, "aria-label": "Sending" });
  const send = h("button", { type: "submit", class: "button primary" }, icon("send"), "Make the report");
  const form = h(
    "form",
    { class: "card capture" },
    h("h2", {}, "New report"),
    h("div", { class: "actions" }, eye.buttons, ear.buttons),
    ear.told,
    eye.preview,
    rows,
    field("Site or object (optional)", site),
    field("Inspector (optional)", inspector),
    field("Typed note (optional)", text),
    progress,
    h("div", { class: "actions" }, send),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(send, async () => {
      progress.hidden = false;
      // The same parts again, after an answer that never came, are the same report.
      once.key ??= fresh();
      try {
        const parts = bundle(gathered, { site: site.value.trim(), inspector: inspector.value.trim(), text: text.value });
        const made = await upload(parts, once.key, (share) => (progress.value = share), signal);
        go(href("field", [made.id]));
      } finally {
        progress.hidden = true;
      }
    });
  });
  for (const each of [site, inspector, text]) each.addEventListener("input", () => (once.key = null));
  signal.addEventListener("abort", () => gathered.forEach(({ address }) => URL.revokeObjectURL(address)));
  return form;
}

function bundle(gathered, told) {
  const form = new FormData();
  for (const { kind, file, at } of gathered) {
    form.append(`${kind}s`, file, file.name);
    form.append(`${kind}_times`, at.toISOString());
  }
  for (const [name, value] of Object.entries(told)) if (value) form.append(name, value);
  return form;
}

// `fetch` cannot tell how much of a body has gone out; this can.
function upload(form, once, tell, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", API);
    request.setRequestHeader("authorization", `Bearer ${storedKey()}`);
    request.setRequestHeader("idempotency-key", once);
    request.upload.addEventListener("progress", (event) => event.lengthComputable && tell(event.loaded / event.total));
    request.addEventListener("load", async () => {
      if (request.status < 300) return resolve(JSON.parse(request.responseText));
      const headers = { "x-request-id": request.getResponseHeader("x-request-id") ?? "" };
      reject(await refusal(new Response(request.responseText, { status: request.status, headers })));
    });
    request.addEventListener("error", () => reject(new ApiError("The server cannot be reached just now.")));
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

/** One report: its progress, then itself. */
async function one(host, id, signal) {
  const path = `${API}/${encodeURIComponent(id)}`;
  const body = h("div", { class: "report-body", "aria-live": "polite" }, loading("Loading the report"));
  const tools = h("div", { class: "actions" });
  fill(
    host,
    h(
      "div",
      { class: "page" },
      h("a", { class: "back always", href: href("field") }, icon("back"), "All reports"),
      h("header", { class: "page-head" }, h("h1", { tabindex: "-1" }, "Field report")),
      h("div", { class: "detail" }, tools, body),
    ),
  );
  const drop = async () => {
    const gone = await ask({
      title: "Delete the report?",
      body: h("p", {}, "It is deleted with its photos and notes."),
      action: "Delete",
      danger: true,
      confirm: () => remove(path),
    });
    if (!gone) return;
    toast("The report is deleted.");
    go(href("field"));
  };
  const show = async () => {
    const found = await get(path, { signal });
    const ready = found.status === "ready";
    const save = (kind, name) => ready && button(name, (pressed) => download(path, id, kind, pressed));
    if (ready || found.status === "failed") fill(tools, save("pdf", "PDF"), save("md", "Markdown"), button("Delete", drop, { kind: "danger" }));
    fill(body, ready ? reportBody(path, found) : waiting(found));
    return !ready && found.status !== "failed";
  };
  const watch = async () => {
    try {
      if (await show()) everySoOften(AGAIN_MS, signal, () => show().catch((problem) => problem.passing ?? false));
    } catch (problem) {
      if (!signal.aborted) fill(body, failure(problem, watch));
    }
  };
  await watch();
}

function waiting(found) {
  if (found.status === "failed") return failure(new ApiError(found.error));
  return h(
    "div",
    { class: "state" },
    h("p", {}, status(found.status), " Photos are read and notes are heard."),
    h("progress", { value: found.progress, max: 1, "aria-label": "Making the report" }),
  );
}
