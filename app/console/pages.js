// The pages, in the order of the menu, and who may open them.

import { atLeast } from "./session.js";

export const PAGES = [
  { name: "chat", title: "Chat", icon: "chat", role: "client", open: () => import("./pages/chat.js") },
  { name: "inbox", title: "Inbox", icon: "inbox", role: "staff", open: () => import("./pages/inbox.js") },
  {
    name: "approvals",
    title: "Approvals",
    icon: "approvals",
    role: "client",
    open: () => import("./pages/approvals.js"),
  },
  { name: "fraud", title: "Fraud", icon: "fraud", role: "staff", open: () => import("./pages/fraud.js") },
  {
    name: "field",
    title: "Field report",
    short: "Field",
    icon: "camera",
    role: "client",
    open: () => import("./pages/field.js"),
  },
  { name: "timeline", title: "Timeline", icon: "timeline", role: "staff", open: () => import("./pages/timeline.js") },
  {
    name: "documents",
    title: "Documents",
    short: "Docs",
    icon: "documents",
    role: "staff",
    open: () => import("./pages/documents.js"),
  },
  {
    name: "evaluations",
    title: "Evaluations",
    short: "Evals",
    icon: "evaluations",
    role: "engineer",
    open: () => import("./pages/evaluations.js"),
  },
  { name: "drift", title: "Drift", icon: "drift", role: "engineer", open: () => import("./pages/drift.js") },
];

/** The pages that the signed-in role may open. The API refuses the rest, whatever stands here. */
export function allowed() {
  return PAGES.filter((page) => atLeast(page.role));
}
