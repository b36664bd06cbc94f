"""/api/tasks: who may ask, what is answered, what is refused, and which model it is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app.champions import keep
from app.demo.tables import subscribers
from app.tasks.served import ServedTasks
from core.errors import Conflict, PromotionRefused
from core.versions import Alias, Kind
from tabular.tasks.churn import CHURN
from tests.fakes.candidates import candidate, measured
from tests.fakes.gateway import Gateway
from tests.fakes.task_models import churn_candidate, churn_model

NAMES = {each.name for each in CHURN.features}


def customer(place: int = 0, **other: Any) -> dict[str, Any]:
    row = {name: value for name, value in subscribers(20)[place].items() if name in NAMES}
    return {**row, "tenure": int(row["tenure"]), "MonthlyCharges": float(row["MonthlyCharges"]), **other}


async def score(served: Gateway, rows: Any, role: str = "staff", task: str = "churn") -> Any:
    return await served.call("POST", f"/api/tasks/{task}/score", role=role, json={"rows": rows})


async def promoted(served: Gateway, folder: Path, seed: int = 0, **changes: Any) -> None:
    registry = served.parts.trials.registry
    version = await registry.register(churn_candidate(folder, seed, **changes), "local:ada")
    await registry.promote("churn", version.number, "local:ada", "because")
    await served.parts.tasks.refresh()


async def test_rows_are_judged_with_reasons(served: Gateway, tmp_path: Path) -> None:
    await promoted(served, tmp_path)
    rows = [customer(place, TotalCharges=None) for place in range(3)]
    told = (await score(served, rows)).json()
    assert (told["object"], told["task"], told["model"]) == ("task.scores", "churn", churn_model().sha256)
    assert len(told["data"]) == 3
    for each in told["data"]:
        assert 0 < each["probability"] < 1
        assert each["positive"] == (each["probability"] >= 0.5)
        weights = [abs(reason["weight"]) for reason in each["reasons"]]
        assert len(weights) == 4
        assert weights == sorted(weights, reverse=True)
        for reason in each["reasons"]:
            assert ("speaks for" if reason["weight"] > 0 else "speaks against") in reason["text"]
    # A flag may be said as JSON says it.
    plain = await score(served, [customer(SeniorCitizen=True, Partner=False)])
    assert plain.json()["data"] == (await score(served, [customer(SeniorCitizen="1", Partner="No")])).json()["data"]


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"tenure": -1}, "rows.1.tenure", "is no whole number from 0"),
        ({"tenure": "long"}, "rows.1.tenure", "is no whole number from 0"),
        ({"tenure": None}, "rows.1.tenure", "is missing"),
        ({"Contract": "forever"}, "rows.1.Contract", "is none of Month-to-month"),
        ({"gender": "Female"}, "rows.1.gender", "is no column that the model of churn meets"),
    ],
)
async def test_bad_rows_are_refused_by_field_and_none_is_judged(
    served: Gateway, tmp_path: Path, changes: dict[str, Any], path: str, said: str
) -> None:
    await promoted(served, tmp_path)
    answer = await score(served, [customer(), customer(**changes)])
    assert answer.status_code == 400
    assert (answer.json()["error"]["param"], said in answer.json()["error"]["message"]) == (path, True)


async def test_who_may_ask_and_for_what(served: Gateway) -> None:
    assert (await score(served, [customer()], role="client")).status_code == 403
    assert (await score(served, [customer()], task="weather")).status_code == 404
    waiting = await score(served, [customer()])
    assert (waiting.status_code, "train one, and promote it" in waiting.text) == (409, True)
    for rows in ([], [customer()] * 501, [{"tenure": [1]}], "all"):
        assert (await score(served, rows)).status_code == 400


async def test_a_new_champion_is_taken_up_and_a_rollback_too(served: Gateway, tmp_path: Path) -> None:
    await promoted(served, tmp_path)
    await promoted(served, tmp_path, 1)
    assert (await score(served, [customer()])).json()["model"] == churn_model(1).sha256
    registry = served.parts.trials.registry
    for _ in range(2):
        await registry.rollback("churn", Alias.CHAMPION, "local:ada", "because")
    await served.parts.tasks.refresh()
    assert (await score(served, [customer()])).status_code == 409


async def test_what_is_not_shown_to_be_fair_is_not_served(served: Gateway, tmp_path: Path) -> None:
    with pytest.raises(PromotionRefused):
        await promoted(served, tmp_path, ratio=0.5)
    # Whoever registers a model without its limits can promote it, but nobody is judged by it.
    await promoted(served, tmp_path, 1, ratio=None)
    assert (await score(served, [customer()])).status_code == 409
    await promoted(served, tmp_path, 2)
    assert (await score(served, [customer()])).json()["model"] == churn_model(2).sha256


async def test_a_broken_champion_changes_nothing_and_looking_goes_on(served: Gateway, tmp_path: Path) -> None:
    registry = served.parts.trials.registry
    told = {
        name: measured(0.9 if limit > 0.5 else 0.01, gates=False, limit=limit, lower_is_better=limit < 0.5)
        for name, limit in CHURN.limits.items()
    }
    made = candidate(tmp_path / "new", model="churn", kind=Kind.TABULAR, metrics={"test/auc": measured(0.8), **told})
    await registry.register(made, "local:ada")
    await registry.promote("churn", 1, "local:ada", "because")
    tasks = ServedTasks(registry)
    looking = asyncio.create_task(keep([tasks], 0.01))
    await asyncio.sleep(0.1)
    assert not looking.done()
    with pytest.raises(Conflict):
        await tasks.score("churn", [customer()])
    looking.cancel()
    await asyncio.wait({looking})
