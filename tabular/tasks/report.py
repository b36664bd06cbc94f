"""The report on a trained model: one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from core.gates import Interval, judge
from tabular.tasks.checks import DataCard
from tabular.tasks.fairness import Fairness, Group
from tabular.tasks.opinion import SecondOpinion
from tabular.tasks.plots import bar_plot, beeswarm_plot, calibration_plot
from tabular.tasks.reasons import reasons
from tabular.tasks.training import Trained

EXPLAINED = 40
"""Test rows that LIME is asked about."""

_SHOWN = 3
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2b2b}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}td,th{text-align:left;padding:.3rem .6rem;"
    "border-bottom:1px solid #d5dede}img{max-width:100%}.bad{color:#a01d1d}.good{color:#0b6e6e}"
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far LIME and the model's own shares agree, in the mean over rows: `core.gates.Interval` of either."""

    rank: Interval
    sign: Interval


def agreement(trained: Trained, *, seed: int = 0, count: int = EXPLAINED) -> Agreement:
    """Ask LIME about some test rows, drawn with the seed."""
    random = np.random.default_rng(seed)
    rows = trained.matrix[random.choice(len(trained.matrix), min(count, len(trained.matrix)), replace=False)]
    judged = trained.model.judge(rows)
    second = SecondOpinion(trained.model, trained.background, seed=seed)
    found = [second.of(row, shares) for row, shares in zip(rows, judged.shares, strict=True)]
    return Agreement(
        _mean([each.rank for each in found], random),
        _mean([each.sign for each in found], random),
    )


def render(trained: Trained, card: DataCard, agreed: Agreement) -> str:
    """The page."""
    task, model = trained.task, trained.model
    judged = model.judge(trained.matrix)
    title = escape(task.title)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f"<p>{escape(trained.recipe)}. {escape(trained.choice)}</p>{_verdict(trained)}"
        f"<h2>On {len(trained.target):,} rows kept for the test</h2>{_figures(trained.figures)}"
        f"<h2>Do the probabilities hold?</h2>"
        f"{_image(calibration_plot(judged.probabilities, trained.target), 'what was said against what came')}"
        f"<h2>What the columns do</h2><p>Shares of the log odds against the mean of the training rows. In the second "
        f"plot a dot is a row, and its colour the value: of a category, how common that is.</p>"
        f"{_image(bar_plot(model.encoding, judged, trained.matrix), 'mean share of each column')}"
        f"{_image(beeswarm_plot(model.encoding, judged, trained.matrix), 'share of each column by row')}"
        f"{_examples(trained)}"
        f"<h2>A second opinion</h2><p>LIME on {agreed.rank.cases} of the rows: rank correlation with the model's own "
        f"shares {_told(agreed.rank)}, same sign in the leading columns {_told(agreed.sign)}.</p>"
        f"<h2>Is it fair?</h2>{''.join(_fair(each) for each in trained.fairness)}"
        f"<h2>The data</h2>{_data(card)}</body></html>"
    )


def _verdict(trained: Trained) -> str:
    refused = [each.words for each in judge(trained.metrics, None) if each.refuses]
    if not refused:
        return '<p class="good">It keeps every limit of the task.</p>'
    return f'<p class="bad">It will not be promoted: {escape("; ".join(refused))}.</p>'


def _told(interval: Interval) -> str:
    return f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"


def _figures(figures: Mapping[str, Interval]) -> str:
    return _table(("measure", "value and 95 % interval"), [(name, _told(each)) for name, each in figures.items()])


def _image(source: str, said: str) -> str:
    return f'<p><img alt="{escape(said)}" src="{source}"></p>'


def _examples(trained: Trained) -> str:
    """The likeliest, the least likely and the most doubtful row, in words."""
    judged = trained.model.judge(trained.matrix)
    order = np.argsort(judged.probabilities, kind="stable")
    doubtful = int(np.argmin(np.abs(judged.probabilities - trained.task.threshold)))
    rows = []
    for place in dict.fromkeys((int(order[-1]), doubtful, int(order[0]))):
        said = reasons(trained.task, trained.model, trained.matrix[place], judged.shares[place], _SHOWN)
        rows.append((f"{judged.probabilities[place]:.1%}", "; ".join(each.text for each in said)))
    return _table(("probability", "reasons"), rows)


def _fair(found: Fairness) -> str:
    protected = found.protected
    limits = [f"the ratio at least {protected.ratio:g}"] if protected.ratio is not None else []
    limits += [f"the difference in rates at most {protected.odds:g}"] if protected.odds is not None else []
    return (
        f"<h3>{escape(protected.column)}</h3>"
        + _table(("group", "people", "selected", "found", "wrongly selected"), [_group(each) for each in found.groups])
        + f"<p>Ratio of selection rates {_told(found.ratio)}, their difference {_told(found.difference)}, greatest "
        f"difference in true or false positive rates {_told(found.odds)}. Limits: {' and '.join(limits) or 'none'}.</p>"
    )


def _group(group: Group) -> tuple[str, ...]:
    name = group.name if group.compared else f"{group.name} (too few to compare)"
    rates = (group.selected, group.found, group.wronged)
    return (name, f"{group.cases:,}", *("" if each is None else _told(each) for each in rates))


def _data(card: DataCard) -> str:
    told = [
        ("rows", f"{card.rows:,}, of them positive {card.positive:.1%}"),
        ("set aside", f"{card.rejected:,}"),
        ("equal to an earlier one", f"{card.duplicates:,}, with another outcome {card.contradictions:,}"),
        ("columns that the task does not know", ", ".join(card.further) or "none"),
        *(("to look into", each) for each in card.suspects),
        *((f"set aside: {reason}", f"{count:,}") for reason, count in card.reasons.items()),
    ]
    columns = [
        (each.name, each.kind, f"{each.missing:.1%}", f"{each.distinct:,}", f"{each.auc:.3f}") for each in card.columns
    ]
    return _table(("", ""), told) + _table(("column", "kind", "not known", "values", "AUC alone"), columns)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"

    top = f"<thead>{line(head, 'th')}</thead>" if any(head) else ""
    return f"<table>{top}<tbody>{''.join(line(row, 'td') for row in rows)}</tbody></table>"


def _mean(values: Sequence[float], random: np.random.Generator) -> Interval:
    """The mean of a few values, and its interval by resampling them."""
    found = np.array(values)
    drawn = found[random.integers(0, len(found), (2000, len(found)))].mean(axis=1)
    low, high = np.percentile(drawn, (2.5, 97.5))
    mean = float(found.mean())
    return Interval(mean, min(float(low), mean), max(float(high), mean), len(found))
