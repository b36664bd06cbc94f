"""Which customers leave? A fifth of the rows, which training never met and equal rows of which it never met either.

`--data` is a table in the columns of the task `churn`, or a folder with one; without it, made-up subscribers. A case is
a row of the test.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from app.demo.tables import subscribers
from evals import supervised
from evals.suite import Options, Suite
from evals.supervised import Case, Result
from tabular.tasks.churn import CHURN


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Case, Result]]:
    """The suite on the table that `options` names. Raises `MissingExtra`, and `InvalidInput` for a bad file."""
    supervised.ready("churn", options)
    # Scikit-learn, pandera and shap take seconds to import, and may be missing.
    from tabular.tasks.report import agreement
    from tabular.tasks.training import train

    with tempfile.TemporaryDirectory() as folder:
        table = await asyncio.to_thread(supervised.read, CHURN, options.data, subscribers, Path(folder))
    trained = await asyncio.to_thread(train, CHURN, table, seed=options.seed)
    lime = await asyncio.to_thread(agreement, trained, seed=options.seed)
    rows = supervised.cases(trained)
    found = supervised.results({"model": trained}, rows)

    async def task(case: Case) -> Result:
        return found[case.id]

    yield Suite(
        name="churn",
        cases=rows,
        task=task,
        scorers=supervised.scorers("model", CHURN.threshold),
        pooled=supervised.figures(
            {name: trained.figures[name] for name in ("auc", "average-precision", "calibration-error")}
            | supervised.comparisons(trained)
        ),
        details=_details,
        facts={
            "data": f"{len(table):,} sound rows, {table.rejected:,} set aside",
            "training": f"{len(trained.background):,}",
            "model": trained.recipe,
            "choice": trained.choice,
            "promotion": supervised.verdict(trained),
            "LIME": supervised.agreed(lime),
            **dict(supervised.groups(trained)),
        },
    )


def _details(case: Case, out: Result) -> Mapping[str, str]:
    return {
        "came": CHURN.target.positive if case.positive else CHURN.target.negative,
        "said": f"{out.probabilities['model']:.1%}",
        "reasons": out.reasons["model"],
    }
