// Files on their way into the documents, one after the other, each with its progress.

import { ApiError, fresh } from "../api.js";
import { choice, field } from "./field.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { storedKey } from "../session.js";
import { status } from "./words.js";

const READABLE = ".txt,.md,.markdown,.html,.htm,.pdf,.docx";

/** The card that takes files; `done()` is called after each that arrived. */
export function uploader({ signal, done }) {
  const picker = h("input", { type: "file", multiple: true, accept: READABLE, id: "upload-files", class: "unseen" });
  const audience = choice(
    [
      ["public", "Everybody"],
      ["staff", "Staff only"],
    ],
    "public",
  );
  const rows = h("ul", { class: "uploads", "aria-live": "polite" });
  const zone = h(
    "div",
    { class: "drop" },
    icon("upload"),
    h("label", { for: "upload-files", class: "button" }, "Choose files"),
    picker,
    h("p", { class: "faint small" }, "or drop them here: txt, md, html, pdf, docx"),
  );
  const take = async (files) => {
    for (const file of [...files]) await one(file, audience.value, rows, signal, done);
  };
  picker.addEventListener("change", async () => {
    const files = [...picker.files];
    picker.value = "";
    await take(files);
  });
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    take(event.dataTransfer.files);
  });
  return h(
    "section",
    { class: "card upload" },
    h("h2", {}, "Add documents"),
    field("Who may read them", audience),
    zone,
    rows,
  );
}

async function one(file, audience, rows, signal, done) {
  const progress = h("progress", { value: 0, max: 1, "aria-label": `Uploading ${file.name}` });
  const said = h("span", { class: "row-note" }, status("sending"));
  rows.prepend(h("li", {}, h("span", { class: "row-title" }, file.name), said, progress));
  try {
    await upload(
      file,
      audience,
      (share) => {
        progress.value = share;
      },
      signal,
    );
    fill(said, status("uploaded"));
    done();
  } catch (problem) {
    fill(
      said,
      status("failed"),
      h("span", { class: "field-problem" }, problem.message, problem.requestId && ` (request ${problem.requestId})`),
    );
  }
  progress.remove();
}

// `fetch` cannot tell how much of a body has gone out; this can.
function upload(file, audience, tell, signal) {
  const form = new FormData();
  form.append("file", file);
  form.append("audience", audience);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/documents");
    request.setRequestHeader("authorization", `Bearer ${storedKey()}`);
    request.setRequestHeader("idempotency-key", fresh());
    request.upload.addEventListener("progress", (event) => event.lengthComputable && tell(event.loaded / event.total));
    request.addEventListener("load", () => (request.status < 300 ? resolve() : reject(refused(request))));
    request.addEventListener("error", () => reject(new ApiError("The server cannot be reached just now.")));
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

function refused(request) {
  let message = `The server answered ${request.status}.`;
  try {
    message = JSON.parse(request.responseText).error.message;
  } catch {
    // Not in the error contract: the status says what there is to say.
  }
  return new ApiError(message, { status: request.status, requestId: request.getResponseHeader("x-request-id") });
}
