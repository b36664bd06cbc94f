// A figure with its interval on a line, and where the run before stood.

import { h } from "./dom.js";

/**
 * `now` and `before` are `{value, low, high}`, the ends null where there is no interval. The picture repeats what
 * stands in words beside it.
 */
export function interval(now, before = null) {
  const figures = before ? [now, before] : [now];
  const ends = figures.flatMap((each) => [each.value, each.low ?? each.value, each.high ?? each.value]);
  const fits = ends.every((each) => each >= 0 && each <= 1);
  const [low, high] = fits ? [0, 1] : [Math.min(...ends), Math.max(...ends)];
  const at = (value) => String((value - low) / (high - low || 1));
  return h(
    "div",
    { class: "interval", "aria-hidden": "true" },
    before && stretch(before, "span before", at),
    stretch(now, "span", at),
    before && h("span", { class: "point before", style: { "--at": at(before.value) } }),
    h("span", { class: "point", style: { "--at": at(now.value) } }),
  );
}

function stretch({ low, high }, name, at) {
  return low !== null && h("span", { class: name, style: { "--from": at(low), "--to": at(high) } });
}
