// Moments in words, in the reader's language; the exact time is one hover or one long press away.

import { h } from "./dom.js";

const STEPS = [
  ["year", 31557600],
  ["month", 2629800],
  ["week", 604800],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

/** "in 2 days", "5 minutes ago". */
export function inWords(moment, now = Date.now()) {
  const seconds = (new Date(moment).getTime() - now) / 1000;
  const [unit, size] = STEPS.find(([, each]) => Math.abs(seconds) >= each) ?? ["second", 1];
  return Math.abs(seconds) < 10 ? relative.format(0, "second") : relative.format(Math.round(seconds / size), unit);
}

/** A moment, relative to now. */
export function ago(moment) {
  return stamp(moment, inWords(moment));
}

/** A moment's day. */
export function onDay(moment) {
  return stamp(moment, day.format(new Date(moment)));
}

/** "840 ms", "2.4 s". */
export function duration(milliseconds) {
  const number = (value, digits) => value.toLocaleString(undefined, { maximumFractionDigits: digits });
  return milliseconds < 1000
    ? `${number(milliseconds, milliseconds < 10 ? 1 : 0)} ms`
    : `${number(milliseconds / 1000, 1)} s`;
}

function stamp(moment, text) {
  return h("time", { datetime: moment, title: exact.format(new Date(moment)) }, text);
}
