"""What the suite makes of two answers to one question."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.types import Answer, Citation, Usage, Verdict
from evals.beir import Question
from evals.suite import Options
from evals.suites import device, find

ASKED = device.Case("a", "answerable", Question("q", ("How long?",), {"returns": 1.0}, ("30 days",)))
UNASKED = device.Case("b", "unanswerable", Question("q", ("How tall?",), {}))


def answer(quote: str | None) -> Answer:
    cited = () if quote is None else (Citation(1, "doc", "Returns", (), quote, 0, len(quote), 0.9, Verdict.VERBATIM),)
    return Answer("t", quote or "no", cited, quote is None, "", Usage())


@pytest.mark.parametrize(
    ("case", "ours", "theirs", "expected"),
    [
        (ASKED, "It is 30 days.", "It is 30 days.", (1, 1, 1, 1)),
        (ASKED, "It is 30 days.", "It is long.", (1, 0, 1, 0)),
        (ASKED, None, "It is 30 days.", (0, None, 0, 1)),
        (UNASKED, None, None, (1, None, None, None)),
        (UNASKED, "It is 30 days.", None, (0, None, None, None)),
    ],
)
def test_two_answers_are_held_against_each_other(
    case: device.Case, ours: str | None, theirs: str | None, expected: tuple[float | None, ...]
) -> None:
    out = device.Both(answer(ours), answer(theirs), 0.1, 0.2)
    names = ("agreement", "same_evidence", "device_contains_gold", "cloud_contains_gold")
    scored = {each.name: each.score(case, out) for each in device.SCORERS if each.name in names}
    assert scored == dict(zip(names, expected, strict=True))


async def test_it_takes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="demo company"):
        async with find("device")(Options(data=tmp_path)):
            pass
