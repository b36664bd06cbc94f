// Where a message is written: text, files, send, stop.

import { fill, h, uid } from "./dom.js";
import { icon } from "./icons.js";
import { complain } from "./toast.js";

const READABLE =
  ".txt,.md,.markdown,.html,.htm,.pdf,.docx,image/png,image/jpeg,image/webp,.wav,.mp3,.m4a,.ogg,.flac,.webm";
const SOUNDS = { mpeg: "mp3", mp4: "m4a", "x-m4a": "m4a", "x-wav": "wav", wave: "wav" };

/**
 * `{element, focus, busy, take, giveBack}`. `send({text, files})` is called with what was written, `stop()` while
 * `busy`; `giveBack` puts a message that was refused where it can be changed, unless something new stands there.
 */
export function composer({ send, stop }) {
  const id = uid("message");
  const text = h("textarea", { id, rows: 1, placeholder: "Ask something", enterkeyhint: "send", maxlength: 50000 });
  const picker = h("input", {
    type: "file",
    multiple: true,
    accept: READABLE,
    hidden: true,
    tabindex: "-1",
    "aria-hidden": "true",
  });
  const attach = h("button", { type: "button", class: "icon-button", "aria-label": "Attach files" }, icon("attach"));
  const go = h("button", { type: "submit", class: "icon-button send", "aria-label": "Send" }, icon("send"));
  const halt = h(
    "button",
    { type: "button", class: "icon-button send", "aria-label": "Stop", hidden: true },
    icon("stop"),
  );
  const chosen = h("ul", { class: "files", "aria-label": "Attached files" });
  let files = [];

  const drawFiles = () =>
    fill(
      chosen,
      files.map((file) =>
        attached(file, () => {
          files = files.filter((each) => each !== file);
          drawFiles();
          attach.focus();
        }),
      ),
    );
  const add = async (list) => {
    try {
      files = [...files, ...(await Promise.all([...list].map(readFile)))];
    } catch (problem) {
      complain(problem);
    }
    drawFiles();
    text.focus();
  };
  const grow = () => {
    text.style.setProperty("height", "auto");
    text.style.setProperty("height", `${Math.min(text.scrollHeight, 200)}px`);
  };
  const submit = () => {
    const said = { text: text.value.trim(), files };
    if ((!said.text && !files.length) || go.hidden) return;
    text.value = "";
    files = [];
    drawFiles();
    grow();
    send(said);
  };

  const element = h(
    "form",
    {
      class: "composer",
      on: {
        submit: (event) => {
          event.preventDefault();
          submit();
        },
        dragover: (event) => event.preventDefault(),
        drop: (event) => {
          event.preventDefault();
          add(event.dataTransfer.files);
        },
      },
    },
    chosen,
    h(
      "div",
      { class: "composer-row" },
      attach,
      picker,
      h("label", { for: id, class: "unseen" }, "Message"),
      text,
      go,
      halt,
    ),
  );
  attach.addEventListener("click", () => picker.click());
  picker.addEventListener("change", () => {
    add(picker.files);
    picker.value = "";
  });
  text.addEventListener("input", grow);
  text.addEventListener("keydown", (event) => {
    // Enter sends, as in any chat; a line break is Shift+Enter, and an input method's Enter is its own.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  halt.addEventListener("click", stop);
  const busy = (working) => {
    go.hidden = working;
    halt.hidden = !working;
  };
  const take = (words) => {
    text.value = words;
    grow();
    text.focus();
  };
  const giveBack = (message) => {
    if (text.value || files.length) return;
    files = message.files;
    drawFiles();
    take(message.text);
  };
  return { element, busy, take, giveBack, focus: () => text.focus() };
}

/** A message's content as the API takes it: plain text, or a list of parts when files come with it. */
export function contentOf({ text, files }) {
  if (!files.length) return text;
  const parts = files.map(part);
  return text ? [{ type: "text", text }, ...parts] : parts;
}

/** What a file is to the API: a picture, a voice note, or a document. */
function part({ filename, data }) {
  const [kind, subtype] = data.slice("data:".length, data.indexOf(";")).split("/");
  if (kind === "image") return { type: "image_url", image_url: { url: data } };
  if (kind !== "audio" && subtype !== "webm") return { type: "file", file: { filename, file_data: data } };
  const format = SOUNDS[subtype] ?? subtype;
  return { type: "input_audio", input_audio: { data: data.slice(data.indexOf(",") + 1), format } };
}

function attached(file, drop) {
  const remove = h(
    "button",
    { type: "button", class: "icon-button", "aria-label": `Remove ${file.filename}`, on: { click: drop } },
    icon("close"),
  );
  return h("li", {}, icon("documents"), h("span", {}, file.filename), remove);
}

function readFile(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve({ filename: file.name, data: reader.result });
    reader.onerror = () => reject(new Error(`${file.name} cannot be read.`));
    reader.readAsDataURL(file);
  });
}
