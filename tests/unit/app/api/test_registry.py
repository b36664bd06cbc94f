"""/api/models, and the models that it makes answer."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.api.registry_views import TrialView, payments_trial_view
from app.fraud.served import Tried
from app.trials.sides import meets
from app.workspace import TENANT
from core.errors import EngineUnavailable
from core.types import Role
from core.versions import Kind, Mode, Plan, Standing
from tabular.fraud.trials import Bands, Compared
from tests.fakes.candidates import MODEL, candidate, measured
from tests.fakes.echoing import MODEL as ECHO
from tests.fakes.gateway import Gateway

CANARY = {"mode": "canary", "percent": 50}


@pytest.fixture
async def house(served: Gateway, tmp_path: Path) -> Gateway:
    """The gateway with three versions, the last one worse, and keys of the installation's own tenant."""
    create = served.parts.identity.create
    for role in (Role.STAFF, Role.ENGINEER):
        served.keys[f"own {role.value}"], _ = await create(TENANT, role.value, role)
    registry = served.parts.trials.registry
    for content, value in (("one", 0.86), ("two", 0.87), ("three", 0.60)):
        made = candidate(tmp_path / "new", content, metrics={"exact": measured(value)})
        await registry.register(made, "local:ada")
    return served


async def ask(house: Gateway, method: str, path: str = "", body: Any = None, who: str = "own engineer") -> Any:
    given = {} if body is None else {"json": body}
    return await house.call(method, f"/api/models{path}", role=who, **given)


async def decide(house: Gateway, what: str, **body: Any) -> Any:
    answer = await ask(house, "POST", f"/{MODEL}/{what}", {"why": "because", **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def people(house: Gateway) -> dict[bool, str]:
    """A key that meets version 2, under True, and one that does not."""
    found: dict[bool, str] = {}
    for number in range(30):
        customer = f"CUS-{number:05}"
        side = meets(f"harbor/customer:{customer}", MODEL, 2, 50)
        if side not in found:
            house.keys[customer], _ = await house.parts.identity.create(
                "harbor", customer, Role.CLIENT, customer_id=customer
            )
            found[side] = customer
    return found


async def said(house: Gateway, who: str, **options: Any) -> tuple[str, str]:
    answer = await house.chat("hello", role=who, **options)
    return answer.json()["choices"][0]["message"]["content"], answer.headers["x-wayside-engine"]


async def test_versions_are_shown_with_their_lineage_and_card(house: Gateway) -> None:
    listed = (await ask(house, "GET")).json()["data"]
    assert [(each["name"], each["versions"], each["champion"]) for each in listed] == [(MODEL, 3, None)]
    model = (await ask(house, "GET", f"/{MODEL}")).json()
    assert [each["version"] for each in model["data"]] == [3, 2, 1]
    version = (await ask(house, "GET", f"/{MODEL}/versions/2")).json()
    assert version["card"].startswith("# House adapter")
    assert version["lineage"]["data"] == "d" * 64
    assert version["metrics"]["exact"]["value"] == 0.87
    assert version["files"][0]["name"] == "adapter.gguf"


async def test_only_engineers_of_the_installation_may(house: Gateway) -> None:
    challenge = {"version": 2, **CANARY, "why": "try"}
    promote, rollback = {"version": 1, "why": "mine"}, {"alias": "champion", "why": "mine"}
    for who in ("own staff", "admin", "stranger", "client"):
        for method, path, body in (
            ("GET", "", None),
            ("GET", f"/{MODEL}", None),
            ("GET", f"/{MODEL}/versions/1", None),
            ("GET", f"/{MODEL}/history", None),
            ("GET", f"/{MODEL}/trial", None),
            ("POST", f"/{MODEL}/challenge", challenge),
            ("POST", f"/{MODEL}/promote", promote),
            ("POST", f"/{MODEL}/rollback", rollback),
        ):
            assert (await ask(house, method, path, body, who)).status_code == 403, (who, method, path)
    assert (await ask(house, "GET", f"/{MODEL}")).json()["champion"] is None


async def test_a_worse_model_is_refused_with_the_findings_in_words(house: Gateway) -> None:
    promoted = await decide(house, "promote", version=1)
    assert promoted["champion"] == 1 and promoted["findings"][0]["refuses"] is False
    refused = await ask(house, "POST", f"/{MODEL}/promote", {"version": 3, "why": "hope"})
    assert (refused.status_code, refused.json()["code"]) == (409, "promotion_refused")
    assert "exact is worse: 0.6 (0.58 to 0.62), the champion has 0.86" in refused.json()["message"]
    history = (await ask(house, "GET", f"/{MODEL}/history")).json()
    assert [each["action"] for each in history["data"]] == ["register"] * 3 + ["promote", "refuse"]
    assert history["broken"] is None


async def test_a_promoted_version_answers_at_once_and_a_rollback_too(house: Gateway) -> None:
    who = (await people(house))[False]
    assert await said(house, who) == ("hello", "null")
    await decide(house, "promote", version=1)
    assert await said(house, who) == ("version 1", f"{MODEL}@1")
    await decide(house, "rollback", alias="champion")
    assert await said(house, who) == ("hello", "null")


async def test_a_canary_answers_its_people_and_the_figures_are_live(house: Gateway) -> None:
    keys = await people(house)
    await decide(house, "challenge", version=2, **CANARY)
    assert await said(house, keys[True]) == ("version 2", f"{MODEL}@2")
    assert await said(house, keys[False]) == ("hello", "null")
    trial = (await ask(house, "GET", f"/{MODEL}/trial")).json()
    assert (trial["serving"], trial["challenger"], trial["plan"]) == ("null", 2, CANARY)
    assert [trial["sides"][side]["answers"] for side in ("champion", "challenger")] == [1, 1]
    metrics = (await house.call("GET", "/metrics")).text
    assert 'wayside_trial_answers{outcome="good",side="challenger"} 1.0' in metrics


async def test_a_broken_challenger_is_rolled_back_by_itself_and_no_client_notices(house: Gateway) -> None:
    keys = await people(house)
    house.parts.variants.says[2] = EngineUnavailable("broken")
    await decide(house, "challenge", version=2, **CANARY)
    for _ in range(15):
        assert await said(house, keys[False]) == ("hello", "null")
    for number in range(25):
        if number % 2:
            streamed = await house.chat("hello", role=keys[True], body={"stream": True})
            assert "hello" in streamed.text
        else:
            assert await said(house, keys[True]) == ("hello", "null")
    await house.parts.trials.refresh()
    model = (await ask(house, "GET", f"/{MODEL}")).json()
    assert (model["challenger"], model["plan"], model["barred"]) == (None, None, [2])
    last = (await ask(house, "GET", f"/{MODEL}/history")).json()["data"][-1]
    assert (last["action"], last["by"]) == ("rollback", "wayside")
    assert last["why"] == "20 of 20 answers failed; of the champion's, 0 of 15"
    assert 'wayside_trial_rollbacks_total{reason="errors"} 1.0' in (await house.call("GET", "/metrics")).text


@pytest.mark.parametrize(
    ("what", "body", "status"),
    [
        ("challenge", {"version": 9, **CANARY}, 404),
        ("challenge", {"version": 2, "mode": "canary", "percent": 51}, 400),
        ("challenge", {"version": 2, "mode": "canary"}, 400),
        ("challenge", {"version": 2, "mode": "shadow", "percent": 5}, 400),
        ("promote", {"version": 1, "champion": 2}, 409),
        ("promote", {"version": 1, "why": ""}, 400),
        ("rollback", {"alias": "champion"}, 409),
        ("rollback", {"alias": "challenger"}, 409),
        ("rollback", {"alias": "king"}, 400),
    ],
)
async def test_what_cannot_be_done_changes_nothing(
    house: Gateway, what: str, body: dict[str, Any], status: int
) -> None:
    before = (await ask(house, "GET", f"/{MODEL}")).json()
    assert (await ask(house, "POST", f"/{MODEL}/{what}", {"why": "try", **body})).status_code == status
    assert (await ask(house, "GET", f"/{MODEL}")).json() == before


async def test_the_names_of_the_engines_models_stay(house: Gateway) -> None:
    await decide(house, "promote", version=1)
    listed = (await house.call("GET", "/v1/models")).json()["data"]
    assert [each["id"] for each in listed][:2] == ["wayside", ECHO]


async def test_a_version_that_was_tampered_with_is_not_promoted(house: Gateway) -> None:
    registry = house.parts.trials.registry
    (await registry.files(await registry.version(MODEL, 1)))["adapter.gguf"].write_text("evil")
    answer = await ask(house, "POST", f"/{MODEL}/promote", {"version": 1, "why": "because"})
    assert (answer.status_code, answer.json()["code"]) == (500, "corrupt_artefact")
    assert str(house.parts.settings.workspace) not in answer.text
    assert (await ask(house, "GET", f"/{MODEL}")).json()["champion"] is None


async def test_a_model_of_payments_is_tried_on_payments(house: Gateway, tmp_path: Path) -> None:
    registry = house.parts.trials.registry
    for content in ("old", "new"):
        await registry.register(candidate(tmp_path / content, content, model="fraud", kind=Kind.TABULAR), "local:ada")
    answer = await ask(house, "POST", "/fraud/challenge", {"why": "to see", "version": 2, "mode": "shadow"})
    assert (answer.status_code, answer.json()["challenger"]) == (200, 2)
    trial = (await ask(house, "GET", "/fraud/trial")).json()
    # These are no trees, so it is tried by name only, until it is looked at.
    assert (trial["challenger"], trial["since"], trial["payments"], trial["serving"]) == (2, None, None, None)
    await house.parts.tabular.fraud_trials.look()
    assert (await ask(house, "GET", "/fraud")).json()["barred"] == [2]


async def test_other_models_of_tables_are_not_tried(house: Gateway, tmp_path: Path) -> None:
    made = candidate(tmp_path / "demand", "numbers", model="demand", kind=Kind.TABULAR)
    await house.parts.trials.registry.register(made, "local:ada")
    answer = await ask(house, "POST", "/demand/challenge", {"why": "to see", "version": 1, "mode": "shadow"})
    assert answer.status_code == 400
    assert "can be tried" in answer.json()["message"]


def test_both_sides_are_told_in_money() -> None:
    compared = Compared(
        champion=Bands(90, 8, 2),
        challenger=Bands(80, 15, 5),
        seen=100,
        alike=85,
        known=50,
        frauds=3,
        apart=9,
        champion_cost=20_000.0,
        challenger_cost=25_000.0,
        squares=50 * 100.0**2 + 49 * 700.0**2,
    )
    since = datetime(2026, 11, 1, tzinfo=UTC)
    plan = Plan(Mode.CANARY, 20)
    standing = Standing("fraud", Kind.TABULAR, 2, (1,), 2, plan, since, (), 3)
    told = payments_trial_view(standing, Tried(2, "n" * 64, plan, since), compared)
    assert told == TrialView.model_validate(told).model_dump()
    assert (told["serving"], told["compared"], told["agreement"]) == ("fraud@1", 100, 0.85)
    payments = told["payments"]
    assert payments["champion"] == {"allow": 90, "review": 8, "block": 2, "cost": 4.0}
    assert payments["challenger"] == {"allow": 80, "review": 15, "block": 5, "cost": 5.0}
    # 1.96 standard errors of a difference whose deviation is 7.00.
    reach = 1.96 * 7 / 50**0.5
    assert payments["dearer"] == {"value": 1.0, "low": round(1 - reach, 4), "high": round(1 + reach, 4)}
