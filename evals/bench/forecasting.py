"""What the automatic choice costs: one call of it, against plain statsforecast calls of the same models.

The reference fits every classical model of the choice once a window and once for the forecast, through statsforecast
alone; ours does that too, and adds the trees, the choice and the quantiles. The trees learn from all series at once, so
the ratio is that of a panel of some hundred. On one thread, in the processor's time.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable

import numpy as np

from app.demo.company import generate
from evals.bench.figure import Figure, Skipped
from tabular.demand.candidates import candidates
from tabular.demand.forecasting import WINDOWS, choose
from tabular.demand.series import Series, kind

SERIES = 60
HORIZON = 28
SEASON = 7
ROUNDS = 3
MOST_RATIO = 2.0


def measure() -> list[Figure]:
    """The demo company's first regular products. Needs the extra `tabular`."""
    for package in ("statsforecast", "lightgbm"):
        if importlib.util.find_spec(package) is None:
            raise Skipped(f"{package} is not installed: pip install -c constraints.txt -e '.[tabular]'")
    from statsforecast import StatsForecast

    from tabular.demand.classical import BUILDERS, frame

    sales = [Series(each.sku, np.asarray(each.units, np.float64)) for each in generate().sales]
    panel = [each for each in sales if kind(each.values) == "regular"][:SERIES]
    length = len(panel[0].values) - WINDOWS * HORIZON
    names = [each.name for each in candidates("regular", length, (SEASON,), HORIZON) if each.name in BUILDERS]
    frames = [
        frame([each.values[: len(each.values) - back * HORIZON] for each in panel]) for back in range(WINDOWS + 1)
    ]

    def plain() -> None:
        for known in frames:
            engine = StatsForecast(models=[BUILDERS[name]((SEASON,)) for name in names], freq=1, n_jobs=1)
            engine.forecast(HORIZON, known)

    def ours() -> None:
        choose(panel, (SEASON,), HORIZON).forecast(panel)

    # The first round compiles.
    rounds = [(_seconds(ours), _seconds(plain)) for _ in range(ROUNDS + 1)][1:]
    own, reference = [first for first, _ in rounds], [second for _, second in rounds]
    ratio = sorted(own)[ROUNDS // 2] / sorted(reference)[ROUNDS // 2]
    against = f"statsforecast: {', '.join(names)}"
    goal = f"≤ {MOST_RATIO:.0f} times the reference"
    return [
        Figure(f"choice and forecast of {len(panel)} series", "s", own, reference, against, goal, ratio <= MOST_RATIO)
    ]


def _seconds(act: Callable[[], None]) -> float:
    begun = time.process_time()
    act()
    return time.process_time() - begun
