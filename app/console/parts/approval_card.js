// A call that waits for people, as the one who asked for it sees it in the conversation.

import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { atLeast } from "../session.js";
import { href } from "../router.js";
import { inWords } from "./time.js";
import { terms, toolTitle } from "./words.js";

const SAID = {
  pending: "Waiting for a person",
  approved: "Approved",
  rejected: "Not approved",
  responded: "Answered by a person",
  expired: "Nobody decided in time",
};

/** A card; `update(approval)` shows how it stands now. `known` may be as little as `{id, tool, arguments, reason}`. */
export function approvalCard(known) {
  const element = h("article", { class: "card approval", "aria-label": `Approval: ${toolTitle(known.tool)}` });
  const update = (approval) => {
    const state = approval.status ?? "pending";
    const pending = state === "pending";
    element.dataset.status = state;
    fill(
      element,
      h(
        "header",
        {},
        icon(pending ? "clock" : state === "approved" ? "check" : "alert"),
        h("strong", {}, SAID[state] ?? state),
      ),
      h("p", {}, toolTitle(approval.tool)),
      terms(approval.approved ?? approval.arguments),
      approval.reason && h("p", { class: "faint" }, approval.reason),
      pending &&
        approval.expires_at &&
        h("p", { class: "faint" }, `A person decides ${inWords(approval.expires_at)} at the latest.`),
      !pending && lastWord(approval),
      atLeast("staff") &&
        h(
          "a",
          { class: "text-link", href: href("approvals", [approval.id]) },
          pending ? "Decide" : "Look at the decision",
        ),
    );
  };
  update(known);
  return { element, update };
}

function lastWord(approval) {
  const text = approval.votes?.at(-1)?.text;
  return text ? h("p", { class: "said-by" }, `“${text}”`) : null;
}
