// Thumbs, comments and corrections for an answer. What staff correct becomes a labelled example.

import { act } from "../api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { ask } from "./dialog.js";
import { field } from "./field.js";
import { atLeast } from "../session.js";
import { attempt, toast } from "./toast.js";

/** The buttons under the answer of a turn. Customers rate and comment; staff also say what would have been right. */
export function verdicts(turnId, text) {
  const about = { kind: "turn", id: turnId };
  let rated = null;
  const mark = (rating) => {
    rated = rating;
    up.setAttribute("aria-pressed", String(rated === "up"));
    down.setAttribute("aria-pressed", String(rated === "down"));
  };
  const thumb = (rating, label) =>
    tool(rating, label, { "aria-pressed": "false" }, async (made) => {
      if (!(await attempt(made, () => act("/api/feedback", { about, rating })))) return;
      mark(rating);
      toast("Thank you, that helps.");
    });
  const up = thumb("up", "Good answer");
  const down = thumb("down", "Bad answer");
  const say = atLeast("staff")
    ? tool("edit", "Correct this answer", {}, async () => (await corrected(about, text)) && mark("down"))
    : tool("edit", "Comment on this answer", {}, () => commented(about, rated));
  return h("div", { class: "verdicts", role: "group", "aria-label": "Rate this answer" }, up, down, say);
}

function tool(name, label, more, click) {
  const made = h("button", { type: "button", class: "icon-button", "aria-label": label, ...more }, icon(name));
  made.addEventListener("click", () => click(made));
  return made;
}

async function corrected(about, text) {
  const answer = h("textarea", { rows: 6, value: text, maxlength: 10000 });
  const comment = h("textarea", { rows: 2, maxlength: 10000 });
  const sent = await ask({
    title: "Correct this answer",
    body: h(
      "div",
      { class: "fields" },
      field("What it should have said", answer),
      field("What was wrong (optional)", comment),
    ),
    action: "Send",
    confirm: () => give(about, "down", comment, { correction: { answer: answer.value } }),
  });
  if (sent) toast("Thank you, the correction is stored.");
  return sent;
}

async function commented(about, rating) {
  const comment = h("textarea", { rows: 4, maxlength: 10000 });
  const confirm = () => {
    if (!comment.value.trim()) throw new Error("A few words are needed.");
    return give(about, rating, comment, {});
  };
  const sent = await ask({
    title: "Comment on this answer",
    body: field("Your comment", comment),
    action: "Send",
    confirm,
  });
  if (sent) toast("Thank you, the comment is stored.");
}

function give(about, rating, { value }, more) {
  const comment = value.trim();
  return act("/api/feedback", { about, ...(rating ? { rating } : {}), ...more, ...(comment ? { comment } : {}) });
}
