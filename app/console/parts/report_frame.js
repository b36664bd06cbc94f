// A report is somebody's HTML: it is shown in a frame of another origin, where no script of it runs.

import { send } from "../api.js";
import { fill, h } from "./dom.js";

/** Fetch the report at `path` and show it in `host`. */
export async function showReport(path, title, host, signal) {
  const response = await send("GET", path, { headers: { accept: "text/html" }, signal });
  const text = await response.text();
  const frame = h("iframe", { class: "report", sandbox: "allow-scripts", src: "/console/report.html", title });
  const hand = (event) => {
    if (event.source !== frame.contentWindow || event.data !== "ready") return;
    frame.contentWindow.postMessage({ report: text }, "*");
    removeEventListener("message", hand);
  };
  addEventListener("message", hand, { signal });
  fill(host, frame);
}
