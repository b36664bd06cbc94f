"""The report: one HTML file that needs nothing else, made to be read on a phone as well as on a desk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np

from evals.gate import Change
from evals.plots import histogram, span, strip
from evals.runner import Result, Run

WORST = 5
_LONGEST = 1200


def render(run: Run, changes: Sequence[Change] | None = None) -> str:
    """Return the page. `changes` is the comparison with a baseline, when there is one."""
    style = Path(__file__).with_name("report.css").read_text()
    by_metric = {change.metric: change for change in changes or ()}
    metrics = "".join(_metric(run, name, by_metric.get(name)) for name in run.metrics)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Wayside · {escape(run.suite)}</title><style>{style}</style></head><body>"
        f"<h1>{escape(run.suite)}</h1>{_facts(run)}{_verdict(run, changes)}"
        f"<h2>Metrics</h2><p>Mean and 95 % bootstrap interval over the cases; {_legend(changes)}.</p>"
        f"{metrics}{_errors(run)}</body></html>"
    )


def _legend(changes: Sequence[Change] | None) -> str:
    return "the dashed stroke is the baseline" if changes is not None else "no baseline was given"


def _facts(run: Run) -> str:
    seconds = np.asarray([result.seconds for result in run.results])
    p50, p95 = np.percentile(seconds, [50, 95]) * 1000 if seconds.size else (0.0, 0.0)
    rows = {
        **run.facts,
        **{name: f"{figure:.4f}" for name, figure in run.pooled.items()},
        "cases": f"{len(run.results):,}",
        "errors": str(len(run.errors)),
        "seed": str(run.seed),
        "time of a case, p50 · p95": f"{p50:,.0f} · {p95:,.0f} ms",
        "time of the run": f"{run.seconds:,.1f} s",
    }
    return f'<dl class="facts">{_pairs(rows, wrap=True)}</dl>'


def _verdict(run: Run, changes: Sequence[Change] | None) -> str:
    failed = [change.metric for change in changes or () if change.regressed]
    if run.errors:
        text = f"Failed: {len(run.errors)} of {len(run.results)} cases ended in an error."
    elif failed:
        text = f"Worse than the baseline: {', '.join(failed)}."
    elif changes is None:
        text = "Every case was answered."
    else:
        text = f"No worse than the baseline in any of {len(changes)} metrics."
    return f'<p class="verdict{" bad" if run.errors or failed else ""}">{escape(text)}</p>'


def _metric(run: Run, name: str, change: Change | None) -> str:
    interval = run.metrics[name]
    scored = [(score, result) for result in run.results if (score := result.scores.get(name)) is not None]
    axis = span([interval.low, interval.high, *([change.before] if change else [])])
    lower = name in run.lower_is_better
    worst = sorted(scored, key=lambda pair: (-pair[0] if lower else pair[0], pair[1].case_id))[:WORST]
    scores = [score for score, _ in scored]
    spread = span(scores)
    return (
        f'<section class="metric{" bad" if change and change.regressed else ""}"><div class="head">'
        f'<h3>{escape(name)}</h3><span><b>{interval.value:.4f}</b> <span class="numbers">'
        f"{interval.low:.4f} to {interval.high:.4f} · {interval.cases:,} cases"
        f"{' · lower is better' if lower else ''}</span>{_changed(change, lower)}</span></div>"
        f"{strip(interval, axis, change.before if change else None)}{_scale(axis)}"
        f"<details><summary>distribution and worst cases</summary>{histogram(scores, spread)}{_scale(spread)}"
        + "".join(_case(result, f"{name} {score:.3f}") for score, result in worst)
        + "</details></section>"
    )


def _scale(axis: tuple[float, float]) -> str:
    return f'<div class="scale"><span>{axis[0]:.2g}</span><span>{axis[1]:.2g}</span></div>'


def _changed(change: Change | None, lower_is_better: bool) -> str:
    if change is None or change.now is None:
        return ""
    difference = change.now - change.before
    mood = "bad" if change.regressed else "good" if (difference < 0) == lower_is_better and difference else ""
    return f' <span class="changed {mood}">{difference:+.4f} against {change.before:.4f}</span>'


def _case(result: Result, heading: str) -> str:
    details = {name: text[:_LONGEST] + "…" * (len(text) > _LONGEST) for name, text in result.details.items()}
    trace = f"<pre>{escape(result.error)}</pre>" if result.error else ""
    return (
        f'<div class="case"><div class="head"><b>{escape(result.case_id)}</b>'
        f'<span class="numbers">{escape(heading)}</span></div><dl>{_pairs(details)}</dl>{trace}</div>'
    )


def _pairs(rows: Mapping[str, str], *, wrap: bool = False) -> str:
    pairs = [f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>" for label, text in rows.items()]
    return "".join(f"<div>{pair}</div>" if wrap else pair for pair in pairs)


def _errors(run: Run) -> str:
    if not run.errors:
        return ""
    return "<h2>Errors</h2>" + "".join(_case(result, f"{result.seconds:.2f} s") for result in run.errors)
