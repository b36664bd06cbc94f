"""How well the next weeks' demand is foretold: the demo company's sales, cut at five moments, against seasonal naive.

MASE is the mean absolute error over that of last year's same week within the training weeks (R. Hyndman, A. Koehler,
International Journal of Forecasting 22, 2006); the rounds are the five moments. The reference of the coverage is the
chance that was asked for.
"""

from __future__ import annotations

import numpy as np

from agents.demand import outlook
from app.demo.company import generate
from core.purchasing import SalesHistory
from core.seasonal import weekly
from evals.bench.figure import Figure

HORIZON = 8
MOMENTS = 5
YEAR = 52
SERVICE = 0.95


def measure() -> list[Figure]:
    """MASE over eight weeks, and how often the demand of five weeks stays below its 95 % level."""
    ours: list[float] = []
    naive: list[float] = []
    covered: list[float] = []
    series = generate().sales
    for back in range(1, MOMENTS + 1):
        errors: list[tuple[float, float]] = []
        below: list[bool] = []
        for sales in series:
            units = sales.units
            cut = len(units) - 7 * HORIZON * back
            past, future = weekly(units[:cut]), weekly(units[cut : cut + 7 * HORIZON])
            scale = float(np.abs(past[YEAR:] - past[:-YEAR]).mean())
            found = outlook(SalesHistory(sales.sku, sales.first_day, units[:cut], ()), 7 * HORIZON)
            below.append(bool(future[:5].sum() <= np.ceil(found.over(35).quantile(SERVICE))))
            # A product that sold nothing in two years has no scale, and nothing to foretell.
            if scale > 0:
                last_year = past[-YEAR:][:HORIZON]
                guesses = (np.array([found.over(7, 7 * week).mean for week in range(HORIZON)]), last_year)
                own, other = (float(np.abs(guess - future).mean()) / scale for guess in guesses)
                errors.append((own, other))
        own, other = np.mean(errors, axis=0).tolist()
        ours.append(own)
        naive.append(other)
        covered.append(float(np.mean(below)))
    better = all(own < other for own, other in zip(ours, naive, strict=True))
    return [
        Figure("weekly demand, MASE", "", ours, naive, "seasonal naive", "below it in every round", better),
        Figure("five weeks within the 95 % level", "of 1", covered, [SERVICE] * MOMENTS, "as asked for"),
    ]
