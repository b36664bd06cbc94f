// Run in the page: returns, as sentences, what is wrong with what stands there now.
() => {
  const found = [];
  const styleOf = (element) => getComputedStyle(element);
  const seen = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
    element.getClientRects().length > 0 && !element.closest(".unseen, .skip, [aria-hidden=true]");
  const shown = (element) => `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}"> ${element.textContent.trim().slice(0, 40)}`;
  const top = document.querySelector("dialog[open]") ?? document.body;
  const all = (selector) => [...top.querySelectorAll(selector)].filter(seen);

  // Names: everything that takes the focus says what it is.
  const text = (ids) => ids.split(/\s+/).map((id) => document.getElementById(id)?.textContent ?? "").join(" ").trim();
  const nameOf = (element) => (element.getAttribute("aria-labelledby") && text(element.getAttribute("aria-labelledby"))) ||
    element.getAttribute("aria-label") || [...(element.labels ?? [])].map((label) => label.textContent).join(" ").trim() ||
    (["INPUT", "SELECT", "TEXTAREA"].includes(element.tagName) ? "" : element.textContent.trim()) || element.getAttribute("title") || "";
  for (const element of all("button, a[href], input, select, textarea, summary, iframe, [role=region], [role=group], dialog, nav, progress, [role=img], pre[tabindex]"))
    if (!nameOf(element)) found.push(`no name: ${shown(element)}`);
  for (const image of all("img")) if (!image.hasAttribute("alt")) found.push(`no alt: ${image.src}`);

  // Structure: one main, one h1, no level of headings left out, ids once, references that lead somewhere.
  if (document.querySelectorAll("main").length !== 1) found.push("not exactly one main");
  if (document.querySelectorAll("h1").length !== 1) found.push("not exactly one h1");
  let level = 1;
  for (const heading of document.querySelectorAll("main :is(h2, h3, h4)")) {
    const own = Number(heading.tagName[1]);
    if (own > level + 1) found.push(`heading level left out before: ${shown(heading)}`);
    level = own;
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push(`id twice: ${id}`);
  for (const name of ["aria-labelledby", "aria-describedby", "for"])
    for (const element of document.querySelectorAll(`[${name}]`))
      for (const id of element.getAttribute(name).split(/\s+/)) if (!document.getElementById(id)) found.push(`${name} leads nowhere: ${id}`);
  for (const list of document.querySelectorAll("ul, ol"))
    for (const child of list.children) if (child.tagName !== "LI") found.push(`not a list item: ${shown(child)}`);

  // Size: what is touched is at least 44 pixels each way. Marks and links amid text have room around them instead.
  for (const element of all("button, summary, select, input:not([type=checkbox]), textarea, nav a, a.row, a.button, a.back, .check")) {
    if (element.matches(".mark")) continue;
    const { width, height } = element.getBoundingClientRect();
    if (width < 43.5 || height < 43.5) found.push(`too small (${width.toFixed(0)} × ${height.toFixed(0)}): ${shown(element)}`);
  }

  // Room: nothing sticks out sideways.
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 0) found.push(`the page is ${wide} pixels too wide`);
  for (const element of all("main, main *, header, nav, dialog, dialog *")) {
    if (!["auto", "scroll", "hidden"].includes(styleOf(element).overflowX) || element.matches(".table-scroll, .menu, textarea, input, progress")) continue;
    if (element.scrollWidth > element.clientWidth + 1) found.push(`${element.scrollWidth - element.clientWidth} pixels too wide inside: ${shown(element)}`);
  }

  // Contrast: 4.5 for text, 3 for large text, over whatever background is really behind it.
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], below) => [r * a + below[0] * (1 - a), g * a + below[1] * (1 - a), b * a + below[2] * (1 - a), 1];
  const behind = (element) => {
    if (!element) return rgba(styleOf(document.body).backgroundColor);
    const own = rgba(styleOf(element).backgroundColor);
    return own[3] > 0.99 ? own : over(own, behind(element.parentElement));
  };
  const light = (color) => {
    const [r, g, b] = color.slice(0, 3).map((each) => each / 255).map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const walker = document.createTreeWalker(top, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !seen(element) || element.closest("[aria-busy], :disabled")) continue;
    const style = styleOf(element);
    const size = parseFloat(style.fontSize);
    const wanted = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const below = behind(element);
    const measured = ratio(over(rgba(style.color), below), below);
    if (measured < wanted - 0.01) found.push(`contrast ${measured.toFixed(2)}: ${shown(element)}`);
  }
  // Borders of fields are what shows where to write: 3 to what is around them.
  for (const element of all("input:not([type=checkbox]), select, textarea")) {
    const border = styleOf(element).borderTopWidth === "0px" ? element.parentElement : element;
    const measured = ratio(rgba(styleOf(border).borderTopColor), behind(border.parentElement));
    if (measured < 2.99) found.push(`border contrast ${measured.toFixed(2)}: ${shown(element)}`);
  }
  return found;
}
