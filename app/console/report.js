// Runs inside the sandboxed frame: shows the report that the console hands over, whose scripts never run.
"use strict";

addEventListener("message", (event) => {
  if (event.source !== parent || typeof event.data?.report !== "string") return;
  const page = new DOMParser().parseFromString(event.data.report, "text/html");
  for (const element of page.querySelectorAll("script, base, meta[http-equiv], iframe, object, embed"))
    element.remove();
  for (const element of page.querySelectorAll("*")) {
    for (const name of element.getAttributeNames()) if (name.startsWith("on")) element.removeAttribute(name);
  }
  document.title = page.title || "Report";
  document.head.append(...page.head.querySelectorAll("style"));
  document.body.replaceChildren(...page.body.childNodes);
});
parent.postMessage("ready", "*");
