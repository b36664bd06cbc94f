// Evaluations: what the suites measured, against the run before, and the report in full.

import { get, query } from "../api.js";
import { button } from "../parts/field.js";
import { fill, h } from "../parts/dom.js";
import { href } from "../router.js";
import { interval } from "../parts/interval.js";
import { showReport } from "../parts/report_frame.js";
import { links, split } from "../parts/split.js";
import { empty, failure, load, loading } from "../parts/states.js";
import { ago, duration } from "../parts/time.js";
import { attempt } from "../parts/toast.js";
import { badge, sentence } from "../parts/words.js";

const PAGE = 50;

export async function show({ host, route, signal }) {
  const place = split({ title: "Evaluations", back: href("evaluations"), listLabel: "Reports" });
  fill(host, place.element);
  let found = [];
  const refresh = async (after = null) => {
    try {
      const page = await get(query("/api/evals", { limit: PAGE, after }), { signal });
      found = after ? [...found, ...page.data] : page.data;
      const more = page.has_more && button("Show more", () => refresh(found.at(-1).id));
      fill(place.list, links(found, row, empty("No reports yet", "Run a suite: wayside eval retrieval")), more);
      place.mark();
    } catch (problem) {
      if (!signal.aborted)
        fill(
          place.list,
          failure(problem, () => refresh()),
        );
    }
  };
  const update = async ({ parts: [id] }) => {
    place.choose(id ?? null);
    if (!id)
      return fill(place.detail, empty("Choose a report", "Its figures open here, beside those of the run before."));
    const body = h("div");
    fill(place.detail, place.back(), body);
    await load(
      body,
      signal,
      () => get(`/api/evals/${encodeURIComponent(id)}`, { signal }),
      (report) => detail(report, earlier(report, found), signal),
      "Loading the report",
    );
    body.querySelector("h2")?.focus();
  };
  fill(place.list, loading("Loading reports"));
  await refresh();
  await update(route);
  return { update };
}

function row(report) {
  return {
    id: report.id,
    address: href("evaluations", [report.id]),
    content: [
      h("span", { class: "row-title" }, report.suite),
      h(
        "span",
        { class: "row-note" },
        ago(report.created_at),
        h("span", {}, report.data),
        report.errors > 0 && badge(`${report.errors} errors`, "bad"),
      ),
    ],
  };
}

/** The run of the same suite on the same data that came before. */
function earlier(report, all) {
  const before = all.filter(
    (each) => each.suite === report.suite && each.data === report.data && each.created_at < report.created_at,
  );
  return before.sort((a, b) => b.created_at.localeCompare(a.created_at))[0] ?? null;
}

function detail(report, before, signal) {
  const frame = h("div");
  const metrics = Object.entries(report.metrics).map(([name, now]) => metric(name, now, before?.metrics[name]));
  return h(
    "article",
    { class: "detail" },
    h(
      "header",
      { class: "detail-head" },
      h(
        "p",
        { class: "row-note" },
        h("code", {}, report.id),
        ago(report.created_at),
        h("span", {}, `${report.cases.toLocaleString()} cases in ${duration(report.seconds * 1000)}`),
        report.errors > 0 && badge(`${report.errors} ended in an error: no figure counts`, "bad"),
      ),
      h("h2", { tabindex: "-1" }, report.suite),
      h(
        "p",
        { class: "faint" },
        before
          ? ["Beside the run of ", ago(before.created_at), ": the hollow mark is where it stood."]
          : "There is no earlier run of this suite on the same data to compare with.",
      ),
    ),
    h("ul", { class: "metrics" }, metrics),
    h(
      "section",
      { class: "block" },
      h("h3", {}, "Facts"),
      h(
        "dl",
        { class: "terms" },
        Object.entries(report.facts).map(([name, value]) => [h("dt", {}, sentence(name)), h("dd", {}, value)]),
      ),
    ),
    h(
      "section",
      { class: "block" },
      h("h3", {}, "The report in full"),
      button("Show it", (made) =>
        attempt(made, () =>
          showReport(`/api/evals/${encodeURIComponent(report.id)}/report`, `Report of ${report.suite}`, frame, signal),
        ),
      ),
      frame,
    ),
  );
}

function metric(name, now, before) {
  return h(
    "li",
    { class: "metric" },
    h(
      "p",
      { class: "metric-head" },
      h("code", {}, name),
      h("strong", { class: "number" }, now.value.toFixed(4)),
      h(
        "span",
        { class: "faint small number" },
        now.low === null ? "" : `${now.low.toFixed(4)} – ${now.high.toFixed(4)} · `,
        `${now.cases.toLocaleString()} cases`,
      ),
    ),
    interval(now, before),
    before && compared(now, before),
  );
}

function compared(now, before) {
  const difference = now.value - before.value;
  const line = h(
    "p",
    { class: "small" },
    h("span", { class: "number" }, `${difference < 0 ? "−" : "+"}${Math.abs(difference).toFixed(4)}`),
    ` against ${before.value.toFixed(4)}`,
  );
  // Cases that all came out alike, which few do easily, give an interval without width: that is no certainty.
  const known = ({ low, high }) => low !== null && low < high;
  if (!known(now) || !known(before)) return line;
  const outside = (value, { low, high }) => value < low || value > high;
  // Apart only when neither interval holds the other's figure: smaller differences are noise.
  const apart = outside(now.value, before) && outside(before.value, now);
  line.append(", ", apart ? h("strong", {}, "beyond chance") : h("span", { class: "faint" }, "within chance"));
  return line;
}
