// A field report as the API gives it, each part with the evidence behind it: the photo, or the second of the note.

import { send } from "../api.js";
import { ask } from "./dialog.js";
import { h, fill } from "./dom.js";
import { failure, loading } from "./states.js";
import { attempt } from "./toast.js";
import { badge, sentence } from "./words.js";

const MOODS = { high: "bad", medium: "warn", low: "good" };

/** What stands in a report that is ready. */
export function reportBody(path, { report }) {
  const told = (title, items, each) =>
    items.length > 0 && h("section", { class: "block" }, h("h2", {}, title), h("ul", { class: "facts" }, items.map(each)));
  const cited = (citation) => h("li", {}, said(path, citation));
  const facts = ["site", "date", "inspector"].filter((name) => report[name]);
  return [
    facts.length > 0 &&
      h(
        "dl",
        { class: "terms" },
        facts.map((name) => [h("dt", {}, sentence(name)), h("dd", {}, report[name].value)]),
      ),
    h("p", { class: "message" }, report.summary),
    report.findings.length > 0 &&
      h(
        "section",
        { class: "block" },
        h("h2", {}, "Findings"),
        h(
          "ol",
          { class: "findings" },
          report.findings.map((each) => finding(path, each)),
        ),
      ),
    told("Open questions", report.questions, (each) =>
      h("li", {}, h("p", {}, each.text), h("div", { class: "actions" }, each.citations.map((one) => evidence(path, one)))),
    ),
    told("Measurements", report.measurements, (each) =>
      h("li", {}, h("strong", {}, `${each.value} ${each.unit}`), said(path, { ...each.evidence, quote: each.quote })),
    ),
    told("Serial numbers and tags", report.identifiers, (each) =>
      h("li", {}, h("p", {}, `${sentence(each.kind)}: `, h("strong", {}, each.value)), evidence(path, each.evidence)),
    ),
    told("Checked, nothing found", report.cleared, (each) => cited(each.evidence)),
    told("Also said", report.remarks, cited),
    told("Text in the photos", report.texts, cited),
  ];
}

/** Save the report as a file of that kind. */
export async function download(path, id, kind, pressed) {
  await attempt(pressed, async () => {
    const address = URL.createObjectURL(await bytes(`${path}.${kind}`));
    h("a", { href: address, download: `${id}.${kind}` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  });
}

function finding(path, each) {
  const about = [each.asset, each.area].filter(Boolean).map((stated) => stated.value);
  const words = each.severity_because.map((word) => `“${word}”`).join(", ");
  return h(
    "li",
    { class: "card finding" },
    h("h3", {}, badge(each.severity, MOODS[each.severity]), ` ${about.join(", ") || "Finding"}`),
    said(path, each.evidence),
    words && h("p", { class: "faint small" }, `Severity because of ${words}`),
    each.actions.map((action) => h("div", {}, h("p", { class: "faint small" }, "To be done"), said(path, action))),
    h(
      "div",
      { class: "actions" },
      each.photos.map(({ number, because }) => evidence(path, { origin: "photo", number, quote: because })),
    ),
  );
}

function said(path, citation) {
  return h("div", { class: "said" }, h("q", {}, citation.quote), evidence(path, citation));
}

const isPhoto = ({ origin }) => origin === "photo" || origin === "description";
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** "Photo 1, line 2", "Note 1, 0:03–0:08": a button that opens it; a typed note stands for itself. */
function evidence(path, citation) {
  if (citation.origin === "text") return h("span", { class: "faint small" }, "Typed note");
  const name = isPhoto(citation)
    ? `Photo ${citation.number}${citation.line ? `, line ${citation.line}` : ""}`
    : `Note ${citation.number}, ${clock(citation.start)}–${clock(citation.end)}`;
  const open = () => show(path, citation, name);
  return h("button", { type: "button", class: "button small evidence", on: { click: open } }, name);
}

async function show(path, citation, name) {
  const place = h("div", { class: "said" }, loading(`Loading ${name}`));
  const closed = ask({ title: name, body: [h("p", {}, citation.quote), place] });
  let address = null;
  try {
    const kind = isPhoto(citation) ? "photos" : "notes";
    address = URL.createObjectURL(await bytes(`${path}/${kind}/${citation.number}`));
    fill(place, isPhoto(citation) ? picture(address, name) : sound(address, citation, name));
  } catch (problem) {
    fill(place, failure(problem));
  }
  await closed;
  place.querySelector("audio")?.pause();
  if (address) URL.revokeObjectURL(address);
}

function picture(address, name) {
  return h("img", { src: address, alt: name, class: "evidence-media" });
}

function sound(address, { start }, name) {
  const player = h("audio", { src: address, controls: true, class: "evidence-media", "aria-label": name });
  player.addEventListener("loadedmetadata", () => {
    player.currentTime = start;
    // Where the browser wants another tap before it plays, the controls are there.
    player.play().catch(() => {});
  });
  return player;
}

async function bytes(path) {
  return (await send("GET", path, { headers: { accept: "*/*" } })).blob();
}
