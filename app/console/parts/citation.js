// Numbered marks in an answer, and the span of a document behind each.

import { ask } from "./dialog.js";
import { failure, loading } from "./states.js";
import { fill, h } from "./dom.js";
import { badge, status } from "./words.js";

const MARK = /\[(\d{1,3})\]/g;
const VERDICTS = {
  verbatim: "The answer says this word for word.",
  supported: "The passage supports what the answer says.",
  unsupported: "The passage does not support what the answer says.",
};

/** An answer's text with its marks as buttons. `find(marker)` gives, or promises, the citations of that number. */
export function marked(text, find) {
  const pieces = [];
  let done = 0;
  for (const match of text.matchAll(MARK)) {
    // The last word stays with its mark, so that a mark never begins a line.
    const [, before, word] = /^([^]*?)(\S{0,40}\s?)$/.exec(text.slice(done, match.index));
    pieces.push(before, h("span", { class: "nobreak" }, word, mark(Number(match[1]), find)));
    done = match.index + match[0].length;
  }
  return [...pieces, text.slice(done)];
}

function mark(number, find) {
  const open = () => show(number, find);
  return h(
    "button",
    { type: "button", class: "mark", "aria-label": `Source ${number}`, on: { click: open } },
    String(number),
  );
}

function show(number, find) {
  const body = h("div", {}, loading("Loading the source"));
  ask({ title: `Source ${number}`, body });
  Promise.resolve(find(number)).then(
    (found) => fill(body, found.length ? found.map(quoted) : h("p", {}, "The passage behind this mark was not kept.")),
    (problem) => fill(body, failure(problem)),
  );
}

/** A citation in full: document, place, quote, verdict. */
export function quoted(citation) {
  return h(
    "figure",
    { class: "quote" },
    h("blockquote", {}, citation.quote),
    h(
      "figcaption",
      {},
      h("p", { class: "quote-title" }, citation.title),
      citation.headings?.length > 0 && h("p", { class: "faint" }, citation.headings.join(" › ")),
      h("p", { class: "quote-verdict" }, status(citation.verdict), " ", VERDICTS[citation.verdict] ?? ""),
      h(
        "p",
        { class: "faint small" },
        `Characters ${citation.start}–${citation.end}, score ${Number(citation.score).toFixed(3)} `,
        badge(citation.document_id, "id"),
      ),
    ),
  );
}
