"""How far is demand foretold, is slow demand foretold better than by its plain methods, and what does it save in stock?

Three parts, each of cases of its own; a metric is about the cases of one. With `--data`, a folder with any of
`m4_<frequency>-train.csv[.gz]` with its `-test`, `intermittent_demand.csv` (time, hourly demand) and
`simulated_items_sales.csv` (date, daily sales of an item each); without, the demo company's daily sales.

`smape`, `mase` and `owa` are M4's. The intermittent part is judged by RMSSE, as absolute errors reward forecasts of
zero; `gain_over_…` is what the plain method's error is larger by, case by case. The stock part plays a policy on sales
that came: levels from the forecasts against a fixed rule, whose factor was tuned on the history. Models are chosen
by rolling origin before the first step that is judged.
"""

from __future__ import annotations

import asyncio
import csv
import gzip
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.demo.company import generate
from core.demand import Demand
from core.errors import InvalidInput
from evals.intervals import RESAMPLES
from evals.suite import Options, Pooled, Scorer, Suite, refuse_foreign, sample
from tabular.demand import measures, policy
from tabular.demand.candidates import INTERMITTENT, for_sums
from tabular.demand.forecasting import Chosen, Forecast, choose
from tabular.demand.naive2 import naive2
from tabular.demand.series import Series
from tabular.demand.stock import dispersions

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Frequency:
    """A frequency of M4: horizon, the season of its measures, and the seasons that we model."""

    horizon: int
    season: int
    seasons: tuple[int, ...]


FREQUENCIES = {
    "yearly": Frequency(6, 1, ()),
    "quarterly": Frequency(8, 4, (4,)),
    "monthly": Frequency(18, 12, (12,)),
    "weekly": Frequency(13, 1, ()),
    "daily": Frequency(14, 1, (7,)),
    "hourly": Frequency(48, 24, (24, 168)),
}
DAYS = Frequency(28, 7, (7,))
HOURS = Frequency(168, 24, (24, 168))

WINDOWS = 26
"""Weeks of hourly intermittent demand that are foretold, one after the other."""

TERMS = policy.Terms(lead_steps=14, review_steps=14)
STRETCH = 112
STRETCHES = 3
"""The stock part plays so many days; the items of a file in so many stretches, the demo company's products in one."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A series, cut where its future begins."""

    id: str
    past: Floats
    future: Floats


@dataclass(frozen=True, slots=True)
class Case:
    """A series, or a stretch of one: what is judged of it stands in `scores`, in words in `told`."""

    id: str
    scores: Mapping[str, float]
    told: Mapping[str, str]


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Case, Mapping[str, float]]]:
    """The suite on the folder that `options` names. Models are chosen here: minutes. Raises `MissingExtra`."""
    refuse_foreign("forecast", options)
    cases, facts = await asyncio.to_thread(_folder if options.data else _demo, options)
    yield Suite(
        name="forecast",
        cases=cases,
        task=_scores,
        scorers=SCORERS,
        details=lambda case, _: case.told,
        facts=facts,
        pooled=pooled(options.seed),
    )


async def _scores(case: Case) -> Mapping[str, float]:
    return case.scores


def _folder(options: Options) -> tuple[list[Case], dict[str, str]]:
    folder = options.data or Path()
    cases: list[Case] = []
    for train in sorted(folder.glob("m4_*-train.csv*")):
        name = train.name.removeprefix("m4_").split("-")[0]
        if name not in FREQUENCIES:
            raise InvalidInput(f"{train.name}: no frequency {name}; there are: {', '.join(FREQUENCIES)}", param="data")
        tests = _m4(train.with_name(train.name.replace("-train", "-test")))
        rows = [Row(series, past, tests[series]) for series, past in _m4(train).items()]
        cases += accuracy(sample(rows, options), FREQUENCIES[name])
    if (path := folder / "intermittent_demand.csv").exists():
        (values,) = _columns(path).values()
        cases += weeks(values, HOURS, min(WINDOWS, options.limit or WINDOWS))
    if (path := folder / "simulated_items_sales.csv").exists():
        for back in range(STRETCHES, 0, -1):
            items = {f"{name} {back}": each for name, each in _columns(path).items()}
            cases += stock({name: each[: len(each) - (back - 1) * STRETCH] for name, each in items.items()})
    if not cases:
        raise InvalidInput(f"{folder} has none of the files of this suite", param="data")
    return cases, {"data": folder.name}


def _demo(options: Options) -> tuple[list[Case], dict[str, str]]:
    sales = {each.sku: np.asarray(each.units, np.float64) for each in generate().sales}

    def cut(steps: int, limit: int | None) -> list[Row]:
        rows = [Row(sku, each[:-steps], each[-steps:]) for sku, each in sales.items() if each[:-steps].any()]
        return sample(rows, Options(limit=limit, seed=options.seed))

    played = cut(STRETCH, options.limit)
    cases = [*accuracy(cut(DAYS.horizon, options.limit), DAYS), *stock({row.id: sales[row.id] for row in played})]
    return cases, {"data": "the demo company's daily sales"}


def _m4(path: Path) -> dict[str, Floats]:
    """M4's layout: a header, and in each row a name and values, empty behind the last."""
    if not path.exists():
        raise InvalidInput(f"{path.name} is missing", param="data")
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        _, *rows = csv.reader(file)
    return {name: np.array([float(value) for value in values if value], np.float64) for name, *values in rows}


def _columns(path: Path) -> dict[str, Floats]:
    """Columns by their heading, without the first, which is time."""
    with path.open() as file:
        heading, *rows = csv.reader(file)
    return {name: np.array([float(row[place]) for row in rows]) for place, name in enumerate(heading) if place}


def accuracy(rows: Sequence[Row], frequency: Frequency) -> list[Case]:
    """Foretell what came after each past; slow series are judged as such."""
    panel = [Series(row.id, row.past) for row in rows]
    found = choose(panel, frequency.seasons, frequency.horizon).forecast(panel)
    judges = {"intermittent": _slow, "regular": _regular}
    return [judges[found[row.id].kind](row, found[row.id], frequency) for row in rows]


def weeks(values: Floats, frequency: Frequency, count: int) -> list[Case]:
    """Horizons of one intermittent series, one after the other; the models are chosen before the first."""
    starts = [len(values) - back * frequency.horizon for back in range(count, 0, -1)]
    chosen: Chosen | None = None
    cases = []
    for number, start in enumerate(starts, 1):
        row = Row(f"week {number}", values[:start], values[start : start + frequency.horizon])
        panel = [Series("demand", row.past)]
        chosen = chosen or choose(panel, frequency.seasons, frequency.horizon)
        cases.append(_slow(row, chosen.forecast(panel)["demand"], frequency))
    return cases


def _regular(row: Row, found: Forecast, frequency: Frequency) -> Case:
    past, future, season = row.past, row.future, frequency.season
    scale = measures.absolute_scale(past, season)
    references = {
        "naive2": naive2(past, season, len(future)),
        "snaive": np.resize(past[-season:], len(future)),
    }
    scores = {
        "smape": float(measures.smape(future, found.mean)),
        "mase": float(measures.mase(future, found.mean, scale)),
        "coverage_80": float(measures.coverage(future, found.quantile(0.1), found.quantile(0.9))),
        "pinball": float(measures.pinball(future, found.quantiles, np.array(found.levels))) / scale,
    }
    for reference, guess in references.items():
        scores[f"{reference}_smape"] = float(measures.smape(future, guess))
        scores[f"{reference}_mase"] = float(measures.mase(future, guess, scale))
    return Case(row.id, scores, _told(found))


def _slow(row: Row, found: Forecast, frequency: Frequency) -> Case:
    past, future, seasons = row.past, row.future, frequency.seasons
    scale = measures.square_scale(past)
    plain = {each.name: each.opens(seasons) for each in INTERMITTENT if each.name in ("seasonal_naive", "croston")}
    own = float(measures.rmsse(future, found.mean, scale))
    scores = {
        "intermittent_rmsse": own,
        "intermittent_coverage_80": float(measures.coverage(future, found.quantile(0.1), found.quantile(0.9))),
        "intermittent_pinball": float(measures.pinball(future, found.quantiles, np.array(found.levels))) / scale,
    }
    for label, model in zip(("snaive", "croston"), plain.values(), strict=True):
        error = float(measures.rmsse(future, model.forecast([past], len(future))[0], scale))
        scores |= {f"intermittent_{label}_rmsse": error, f"gain_over_{label}": error - own}
    return Case(row.id, scores, _told(found))


def _told(found: Forecast) -> Mapping[str, str]:
    return {"kind": found.kind, "models": ", ".join(f"{name} {share:.2f}" for name, share in found.shares.items())}


def stock(sales: Mapping[str, Floats]) -> list[Case]:
    """Play the last `STRETCH` steps with levels from forecasts, made anew at every review, and with fixed ones.

    Costs are in units of the item's mean demand, so that all items count alike; holding a piece for a step costs one.
    """
    histories = {name: values[:-STRETCH] for name, values in sales.items()}
    steps = TERMS.protection_steps
    panel = [Series(name, past) for name, past in histories.items()]
    chosen = choose(panel, DAYS.seasons, steps, offer=for_sums, together=steps)
    spreads = dict(zip(histories, dispersions(chosen.forecast(panel), histories)[:, -1].tolist(), strict=True))
    factor = policy.best_factor(list(histories.values()), TERMS)
    levels: dict[str, list[float]] = {name: [] for name in sales}
    for review in range(0, STRETCH, TERMS.review_steps):
        known = [Series(name, values[: len(values) - STRETCH + review]) for name, values in sales.items()]
        for name, found in chosen.forecast(known).items():
            mean = float(found.mean.sum())
            levels[name].append(Demand(mean, math.sqrt(spreads[name] * mean)).quantile(TERMS.service_level))
    cases = []
    for name, values in sales.items():
        fixed = [policy.fixed_level(histories[name], factor, TERMS)] * len(levels[name])
        own, other = (policy.play(values[-STRETCH:], each, TERMS) for each in (levels[name], fixed))
        unit = float(histories[name].mean())
        scores = {
            "stock_cost": own.cost / unit,
            "stock_holding_cost": own.holding_cost / unit,
            "stock_shortage_cost": own.shortage_cost / unit,
            "stock_short": own.short,
            "fixed_cost": other.cost / unit,
            "fixed_short": other.short,
            "stock_saving": (other.cost - own.cost) / unit,
        }
        told = {"levels": ", ".join(f"{each:.0f}" for each in levels[name]), "fixed": f"{fixed[0]:.0f}"}
        cases.append(Case(f"stock {name}", scores, {**told, "factor": f"{factor:.1f}"}))
    return cases


_HIGHER = ("coverage_80", "intermittent_coverage_80", "gain_over_snaive", "gain_over_croston", "stock_saving")
_LOWER = (
    *("smape", "mase", "pinball", "naive2_smape", "naive2_mase", "snaive_smape", "snaive_mase"),
    *("intermittent_rmsse", "intermittent_snaive_rmsse", "intermittent_croston_rmsse", "intermittent_pinball"),
    *("stock_cost", "stock_holding_cost", "stock_shortage_cost", "stock_short", "fixed_cost", "fixed_short"),
)


def _look(name: str, _: Case, scores: Mapping[str, float]) -> float | None:
    return scores.get(name)


SCORERS: tuple[Scorer[Case, Mapping[str, float]], ...] = (
    *(Scorer(name, partial(_look, name), lower_is_better=True) for name in _LOWER),
    *(Scorer(name, partial(_look, name)) for name in _HIGHER),
)


def owa(side: str, seed: int, percent: float | None, rows: Sequence[tuple[Case, Mapping[str, float]]]) -> float | None:
    """OWA against Naive2; with `percent`, that percentile of it over resampled series."""
    names = (f"{side}smape", f"{side}mase", "naive2_smape", "naive2_mase")
    scored = np.array([[scores[name] for name in names] for _, scores in rows if "smape" in scores])
    if not scored.size:
        return None
    if percent is None:
        return measures.owa(*scored.T)
    random = np.random.default_rng(seed)
    drawn = [measures.owa(*scored[random.integers(len(scored), size=len(scored))].T) for _ in range(RESAMPLES)]
    return float(np.percentile(drawn, percent))


def cost_ratio(rows: Sequence[tuple[Case, Mapping[str, float]]]) -> float | None:
    """What the policy cost over what the fixed rule did."""
    costs = np.array([[scores["stock_cost"], scores["fixed_cost"]] for _, scores in rows if "stock_cost" in scores])
    return float(costs[:, 0].sum() / costs[:, 1].sum()) if costs.size and costs[:, 1].any() else None


def pooled(seed: int) -> tuple[Pooled[Case, Mapping[str, float]], ...]:
    """The figures over all cases together."""
    return (
        Pooled("owa", partial(owa, "", seed, None)),
        Pooled("owa_low", partial(owa, "", seed, 2.5)),
        Pooled("owa_high", partial(owa, "", seed, 97.5)),
        Pooled("snaive_owa", partial(owa, "snaive_", seed, None)),
        Pooled("stock_cost_ratio", cost_ratio),
    )
