"""A tiny suite whose cases carry their own score, so that what the framework does with scores can be seen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest

from evals.suite import Scorer, Suite


@dataclass(frozen=True)
class Number:
    id: str
    value: float | None


async def _value(case: Number) -> float | None:
    if case.value is not None and case.value < 0:
        raise ArithmeticError(f"{case.id} is below zero")
    return case.value


def _details(case: Number, output: float | None) -> Mapping[str, str]:
    return {"question": f"<{case.id}>", "answer": str(output)}


MakeSuite = Callable[[Sequence[float | None]], Suite[Number, float | None]]


@pytest.fixture
def numbers() -> MakeSuite:
    def make(values: Sequence[float | None]) -> Suite[Number, float | None]:
        return Suite(
            name="numbers",
            cases=[Number(f"n{index}", value) for index, value in enumerate(values)],
            task=_value,
            scorers=(
                Scorer("share", lambda _, output: output),
                Scorer("lost", lambda _, output: None if output is None else 1 - output, lower_is_better=True),
            ),
            details=_details,
            facts={"model": "none & nothing"},
        )

    return make
