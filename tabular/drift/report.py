"""A check as one HTML page that needs nothing else, made to be read on a phone as well as on a desk."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from tabular.drift.plots import bars, gauge, stretch
from tabular.drift.results import CALIBRATION, About, Achieved, Check, Compared, Finding

BOUND = 0.1
"""What the dashed stroke beside a column stands for: the bound of its stability index."""


def render(title: str, facts: Mapping[str, str], check: Check, open_: Sequence[Finding] | None = None) -> str:
    """The page. `open_` are the findings that stand, where they are others than the check's own."""
    findings = check.findings if open_ is None else tuple(open_)
    style = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
    moved = {each.key for each in findings}
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body><h1>{escape(title)}</h1>"
        f'<dl class="facts">{_facts(facts)}</dl>{_verdict(check, findings)}'
        f"{''.join(_finding(each) for each in findings)}{_unknown(check)}"
        f"{_achieved(check, moved)}{_columns(check, moved)}</body></html>"
    )


def _facts(facts: Mapping[str, str]) -> str:
    return "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in facts.items())


def _verdict(check: Check, findings: Sequence[Finding]) -> str:
    if findings:
        text = f"{len(findings)} {'thing has' if len(findings) == 1 else 'things have'} moved."
    elif check.compared or check.achieved:
        text = "Nothing has moved by more than it does by itself."
    else:
        text = "Nothing can be said."
    return f'<p class="verdict{" bad" if findings else ""}">{text}</p>'


def _finding(found: Finding) -> str:
    numbers = f"{found.measure} {found.effect:.3f} beyond chance, bound {found.bound:.3f}, p {found.p:.1g}"
    if found.about is About.PERFORMANCE:
        numbers = f"moved by {found.effect:.3f}, bound {found.bound:.3f}, p {found.p:.1g}"
    return (
        f'<div class="finding bad"><div class="head"><b>{escape(found.words)}</b>'
        f'<span class="numbers">{escape(numbers)}</span></div></div>'
    )


def _unknown(check: Check) -> str:
    return "".join(f"<p>Nothing can be said about {escape(each)}.</p>" for each in check.unknown)


def _achieved(check: Check, moved: set[tuple[str, str]]) -> str:
    if not check.achieved:
        return ""
    told = "".join(_figure(each, (each.name, About.PERFORMANCE.value) in moved) for each in check.achieved)
    return (
        "<h2>What it achieves</h2><p>Over payments whose outcome is known by now. The bar encloses 95 % of what is "
        f"usual for such a window, the dashed stroke is its middle.</p>{told}"
    )


def _figure(figure: Achieved, bad: bool) -> str:
    before, low, high, now = figure.before, figure.low, figure.high, figure.now
    name = figure.name
    if name == CALIBRATION:
        name = "frauds there were to frauds expected"
        before, low, high, now = (math.exp(each) for each in (before, low, high, now))
    numbers = f"usual {before:.3f} ({low:.3f} to {high:.3f}) · p {figure.p:.2g}"
    return (
        f'<div class="column{" bad" if bad else ""}"><div class="head"><h3>{escape(name)}</h3>'
        f'<b>{now:.3f}</b> <span class="numbers">{numbers}</span></div>{stretch(figure)}</div>'
    )


def _columns(check: Check, moved: set[tuple[str, str]]) -> str:
    if not check.compared:
        return ""
    most = max(BOUND * 2, *(each.psi.effect for each in check.compared))
    order = sorted(check.compared, key=lambda each: -each.psi.effect)
    parts = [("What it meets", [each for each in order if not each.group])]
    parts.insert(0, ("Who is there", [each for each in order if each.group]))
    told = [
        f"<h2>{title}</h2><p>The bar is the stability index beyond chance; the dashed stroke is its bound.</p>"
        + "".join(_column(each, most, moved) for each in columns)
        for title, columns in parts
        if columns
    ]
    return "".join(told)


def _column(column: Compared, most: float, moved: set[tuple[str, str]]) -> str:
    bad = (column.name, (About.SEGMENT if column.group else About.FEATURE).value) in moved
    numbers = f"PSI {column.psi.distance:.3f}, {column.psi.chance:.3f} of it chance, p {column.psi.p:.2g}"
    if column.ks is not None:
        numbers += f" · KS {column.ks.distance:.3f}, p {column.ks.p:.2g}"
    numbers += f" · varies {column.usual.inflation:.1f} times as much as independent rows"
    rows = "".join(
        f"<tr><td>{escape(label)}</td><td>{before:.1%}</td><td>{now:.1%}</td></tr>"
        for label, before, now in zip(column.bins, column.before, column.now, strict=True)
        if before or now
    )
    return (
        f'<div class="column{" bad" if bad else ""}"><div class="head"><h3>{escape(column.name.replace("_", " "))}</h3>'
        f'<span class="numbers">{numbers}</span></div>{gauge(column.psi.effect, BOUND, most)}'
        f"<details{' open' if bad else ''}><summary>shares by bin, then (pale) and now</summary>{bars(column)}"
        f'<table class="bins"><tr><th>bin</th><th>then</th><th>now</th></tr>{rows}</table></details></div>'
    )
