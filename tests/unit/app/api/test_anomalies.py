"""/api/anomalies: who may ask, what is answered, what is refused, and which model it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.versions import Alias
from tests.fakes.gateway import Gateway
from tests.fakes.segments import anomalies_candidate, promoted, usual

COMMON, ODD = {"amount": 101, "hours": 99.5}, {"amount": 300.0, "hours": 101}


async def score(served: Gateway, rows: Any, role: str = "staff") -> Any:
    return await served.call("POST", "/api/anomalies/score", role=role, json={"rows": rows})


async def put(served: Gateway, folder: Path, *names: str, seed: int = 0) -> None:
    await promoted(served.parts.trials.registry, anomalies_candidate(folder, *names, seed=seed))
    await served.parts.anomalies.refresh()


@pytest.fixture
async def watching(served: Gateway, tmp_path: Path) -> Gateway:
    await put(served, tmp_path, "amount", "hours")
    return served


async def test_rows_are_judged_with_what_is_odd_in_words(watching: Gateway) -> None:
    told = (await score(watching, [COMMON, ODD, {"amount": None, "hours": None}])).json()
    assert (told["object"], told["model"]) == ("anomalies.scores", 1)
    common, odd, unknown = told["data"]
    assert (common["unusual"], odd["unusual"], unknown["unusual"]) == (False, True, False)
    threshold = usual("amount", "hours").threshold
    assert {each["threshold"] for each in told["data"]} == {threshold}
    assert common["score"] < threshold <= odd["score"]
    assert (common["oddities"], unknown["oddities"], unknown["score"]) == ([], [], 0.0)
    [oddity] = odd["oddities"]
    assert (oddity["column"], oddity["value"]) == ("amount", 300.0)
    assert oddity["text"].startswith("amount is high: 300 (more than in any of 500 rows")
    assert 0 < oddity["weight"] <= odd["score"]


@pytest.mark.parametrize(
    ("row", "path", "said"),
    [
        ({"amount": 1}, "rows.1.hours", "hours is missing"),
        ({**COMMON, "town": 3}, "rows.1.town", "is no column that the model meets: amount, hours"),
        ({**COMMON, "hours": "99"}, "rows.1.hours", "valid number"),
        ({**COMMON, "hours": True}, "rows.1.hours", "valid number"),
        ({**COMMON, "hours": [1]}, "rows.1.hours", "valid number"),
        ({**COMMON, "hours": 1e300}, "rows.1.hours", "is further than 1e15 from zero"),
    ],
)
async def test_one_bad_row_is_refused_by_its_path_and_none_is_judged(
    watching: Gateway, row: dict[str, Any], path: str, said: str
) -> None:
    answer = await score(watching, [COMMON, row])
    assert answer.status_code == 400
    assert (answer.json()["error"]["param"], said in answer.json()["error"]["message"]) == (path, True)


async def test_how_many_rows_are_taken(watching: Gateway) -> None:
    assert len((await score(watching, [COMMON] * 500)).json()["data"]) == 500
    for rows in ([], [COMMON] * 501, [{f"c{place}": 1 for place in range(101)}], "all", [1]):
        assert (await score(watching, rows)).status_code == 400


async def test_it_is_for_staff_of_the_company_whose_rows_they_are(watching: Gateway) -> None:
    assert (await score(watching, [COMMON], role="client")).status_code == 403
    # Not even the names of the columns are told.
    strange = await score(watching, [{"x": 1}], role="stranger")
    assert (strange.status_code, "amount" in strange.text) == (409, False)


async def test_a_champion_is_taken_up_and_a_rollback_too(served: Gateway, tmp_path: Path) -> None:
    waiting = await score(served, [COMMON])
    assert (waiting.status_code, "train one, and promote it" in waiting.text) == (409, True)
    await put(served, tmp_path, "amount", "hours")
    await put(served, tmp_path, "weight", seed=1)
    assert (await score(served, [COMMON])).status_code == 400
    assert (await score(served, [{"weight": 100}])).json()["model"] == 2
    registry = served.parts.trials.registry
    for _ in range(2):
        await registry.rollback("anomalies", Alias.CHAMPION, "local:ada", "because")
    await served.parts.anomalies.refresh()
    assert (await score(served, [COMMON])).status_code == 409
