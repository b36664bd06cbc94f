"""The gate: is a run worse than its baseline by more than chance?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from core.errors import InvalidInput
from core.gates import regressed
from evals.runner import Run


@dataclass(frozen=True, slots=True)
class Change:
    """A metric against its baseline. `now` is None when the run no longer has it, `regressed` then too."""

    metric: str
    before: float
    now: float | None
    regressed: bool


def read_baseline(path: Path) -> dict[str, float]:
    """Read what an earlier run's `--json` wrote. Raises `InvalidInput` when the file is not that."""
    try:
        rows = orjson.loads(path.read_bytes())
    except OSError as error:
        raise InvalidInput(f"cannot read the baseline {path}: {error.strerror}", param="baseline") from error
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"the baseline {path} is not JSON: {error}", param="baseline") from error
    if not isinstance(rows, dict) or not all(isinstance(value, int | float) for value in rows.values()):
        raise InvalidInput(f"the baseline {path} is not one flat object of numbers", param="baseline")
    return rows


def compare(run: Run, baseline: Mapping[str, float]) -> list[Change]:
    """Every metric of the baseline against the run's, by the rule of `core.gates`.

    Raises `InvalidInput` when the two did not run over the same number of cases: they measured different things.
    """
    if "cases" in baseline and baseline["cases"] != len(run.results):
        raise InvalidInput(
            f"the baseline has {baseline['cases']:.0f} cases and this run {len(run.results)}: not comparable",
            param="baseline",
        )
    return [_change(run, name, baseline[name]) for name in baseline if f"{name}_low" in baseline]


def _change(run: Run, name: str, before: float) -> Change:
    interval = run.metrics.get(name)
    if interval is None:
        return Change(name, before, None, regressed=True)
    worse = regressed(before, interval, lower_is_better=name in run.lower_is_better)
    return Change(name, before, interval.value, regressed=worse)
