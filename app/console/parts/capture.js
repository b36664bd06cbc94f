// Camera and microphone: photos and voice notes, each with the time at which it was made.

import { button } from "./field.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { toast } from "./toast.js";

const LONGEST_MS = 10 * 60 * 1000;

/** Choose or take photos. `take(file, at)` is called for each; what is open ends with `signal`. */
export function camera({ take, signal }) {
  const picker = h("input", {
    type: "file",
    accept: "image/*",
    capture: "environment",
    multiple: true,
    id: "field-photos",
    class: "unseen",
  });
  picker.addEventListener("change", () => {
    // A file that was chosen and not taken now has its own time.
    for (const file of picker.files) take(file, new Date(file.lastModified || Date.now()));
    picker.value = "";
  });
  const preview = h("div", { class: "viewfinder" });
  const choose = [h("label", { for: picker.id, class: "button" }, icon("camera"), "Add photos"), picker];
  const live = navigator.mediaDevices?.getUserMedia && button("Open the camera", () => open());
  let stream = null;

  const close = () => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    fill(preview);
    if (live) live.hidden = false;
  };
  const open = async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1920 } } });
    } catch (problem) {
      return toast(refused(problem, "camera"), { bad: true });
    }
    if (signal.aborted) return close();
    const video = h("video", { autoplay: true, muted: true, playsinline: true, "aria-label": "What the camera sees" });
    video.srcObject = stream;
    const shoot = button("Take the photo", () => still(video, take), { kind: "primary" });
    fill(preview, video, h("div", { class: "actions" }, shoot, button("Close the camera", close)));
    live.hidden = true;
    shoot.focus();
  };
  signal.addEventListener("abort", close);
  return { buttons: [choose, live], preview };
}

/** Record voice notes. `take(file, at)` is called for each, with the time at which it began. */
export function microphone({ take, signal }) {
  const told = h("span", { class: "recording", role: "status" });
  if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) return { buttons: [], told };
  let recorder = null;
  const toggle = button("Record a note", () => (recorder ? recorder.stop() : begin()));
  const name = (text) => fill(toggle, icon(recorder ? "stop" : "microphone"), text);
  name("Record a note");

  const begin = async () => {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch (problem) {
      return toast(refused(problem, "microphone"), { bad: true });
    }
    const release = () => stream.getTracks().forEach((track) => track.stop());
    if (signal.aborted) return release();
    const pieces = [];
    const at = new Date();
    recorder = new MediaRecorder(stream);
    recorder.addEventListener("dataavailable", ({ data }) => pieces.push(data));
    const tick = setInterval(() => tell(at, told), 1000);
    const last = setTimeout(() => recorder?.stop(), LONGEST_MS);
    recorder.addEventListener("stop", () => {
      clearInterval(tick);
      clearTimeout(last);
      release();
      const type = recorder.mimeType.split(";")[0] || "audio/webm";
      recorder = null;
      told.textContent = "";
      name("Record a note");
      if (!signal.aborted) take(new File(pieces, "note", { type }), at);
    });
    recorder.start();
    tell(at, told);
    name("Stop the recording");
  };
  signal.addEventListener("abort", () => recorder?.stop());
  return { buttons: [toggle], told };
}

function tell(since, told) {
  const seconds = Math.floor((Date.now() - since) / 1000);
  told.textContent = `Recording ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

async function still(video, take) {
  const at = new Date();
  const canvas = h("canvas", { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  const taken = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
  if (taken) take(new File([taken], "photo.jpg", { type: "image/jpeg" }), at);
}

function refused(problem, what) {
  const why = problem.name === "NotAllowedError" ? "may not be used: allow it in the browser" : "cannot be used";
  return `The ${what} ${why}.`;
}
