"""Are groups of people treated evenly, and what does it cost? The task `income`, trained plainly and evened out.

Both models are judged on the same fifth of the rows, which chose nothing. `--data` is a table in the columns of the
task, or a folder with one; without it, made-up applicants of whom women were passed over. A case is a row of the test.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from app.demo.tables import applicants
from core.gates import Interval
from evals import supervised
from evals.suite import Options, Suite
from evals.supervised import Case, Result
from tabular.tasks.income import INCOME

_FIGURES = ("auc", "average-precision", "calibration-error")


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Case, Result]]:
    """The suite on the table that `options` names. Raises `MissingExtra`, and `InvalidInput` for a bad file."""
    supervised.ready("fairness", options)
    # Scikit-learn, pandera and shap take seconds to import, and may be missing.
    from tabular.tasks.report import agreement
    from tabular.tasks.training import train

    with tempfile.TemporaryDirectory() as folder:
        table = await asyncio.to_thread(supervised.read, INCOME, options.data, applicants, Path(folder))
    models = {
        name: await asyncio.to_thread(train, INCOME, table, correcting=even, seed=options.seed)
        for name, even in (("plain", False), ("even", True))
    }
    lime = {name: await asyncio.to_thread(agreement, each, seed=options.seed) for name, each in models.items()}
    rows = supervised.cases(models["plain"])
    found = supervised.results(models, rows)

    async def task(case: Case) -> Result:
        return found[case.id]

    facts = {"data": f"{len(table):,} sound rows, {table.rejected:,} set aside"}
    pooled: dict[str, Interval] = {}
    for name, each in models.items():
        facts |= {
            f"{name}: model": each.recipe,
            f"{name}: promotion": supervised.verdict(each),
            f"{name}: LIME": supervised.agreed(lime[name]),
            **{f"{name}: {group}": told for group, told in supervised.groups(each)},
        }
        measured = {key: each.figures[key] for key in _FIGURES} | supervised.comparisons(each)
        pooled |= {f"{name} {key}": interval for key, interval in measured.items()}
    yield Suite(
        name="fairness",
        cases=rows,
        task=task,
        scorers=[each for name in models for each in supervised.scorers(name, INCOME.threshold, f"{name} ")],
        pooled=supervised.figures(pooled),
        details=_details,
        facts=facts,
    )


def _details(case: Case, out: Result) -> Mapping[str, str]:
    return {
        "came": INCOME.target.positive if case.positive else INCOME.target.negative,
        **{f"{name} said": f"{probability:.1%}" for name, probability in out.probabilities.items()},
        **{f"{name} reasons": told for name, told in out.reasons.items()},
    }
