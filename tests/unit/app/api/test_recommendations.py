"""/api/recommendations: who may ask, what is answered and kept, what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.recommending import Asking
from core.types import Role
from tabular.eventlog import EventLog
from tabular.recommend.records import REACTIONS, Reaction
from tests.fakes.gateway import TENANT, Gateway, gateway
from tests.fakes.shopping import BUYER, NEWCOMER, NEWCOMERS, SOLD_OUT, shopping

PATH = "/api/recommendations"


async def stocked(served: Gateway) -> Gateway:
    """The gateway with the shop, and keys of two customers and of a visitor."""
    served.parts.companies[TENANT] = shopping()
    create = served.parts.identity.create
    for name, customer in (("buyer", BUYER), ("newcomer", NEWCOMER), ("visitor", None)):
        served.keys[name], _ = await create(TENANT, name, Role.CLIENT, customer_id=customer)
    return served


@pytest.fixture
async def shop(served: Gateway) -> Gateway:
    return await stocked(served)


@pytest.fixture
async def exploring(tmp_path: Path, template: Path) -> AsyncIterator[Gateway]:
    """The shop, with the last place of each slate left to chance."""
    recommend = {"explore": "epsilon_greedy", "epsilon": 0.5, "candidates": 4}
    async with gateway(tmp_path, template, recommend=recommend) as running:
        yield await stocked(running)


async def ask(shop: Gateway, role: str = "buyer", **body: Any) -> Any:
    return await shop.call("POST", PATH, role=role, json={"customer_id": BUYER, **body})


async def tell(shop: Gateway, slate: str, *told: tuple[str, str], role: str = "buyer") -> Any:
    body = {"reactions": [{"sku": sku, "reaction": reaction} for sku, reaction in told]}
    return await shop.call("POST", f"{PATH}/{slate}/feedback", role=role, json=body)


async def test_products_with_reasons_and_places(shop: Gateway) -> None:
    answer = await ask(shop, limit=4, new_only=False)
    assert answer.status_code == 200
    slate = answer.json()
    assert (slate["object"], slate["customer_id"], slate["model"]) == ("recommendations", BUYER, None)
    assert [each["position"] for each in slate["items"]] == [1, 2, 3, 4]
    first = slate["items"][0]
    assert (first["price"], first["propensity"]) == ("24.00", 1.0)
    assert first["reason"].startswith("Customers who bought red tent ")
    assert SOLD_OUT not in [each["sku"] for each in slate["items"]]
    others = (await ask(shop, limit=50, exclude=[first["sku"]])).json()["items"]
    assert first["sku"] not in [each["sku"] for each in others]


async def test_a_client_asks_for_its_own_customer(shop: Gateway) -> None:
    for role in ("newcomer", "visitor"):
        answer = await ask(shop, role)
        assert (answer.status_code, answer.json()["param"]) == (404, "customer_id")
    assert (await ask(shop, "staff")).status_code == 200
    # For another company's admin it is a customer of theirs, whom nobody there knows.
    assert (await ask(shop, "stranger")).json()["items"] == []


async def test_an_answer_is_given_again_under_its_key(shop: Gateway) -> None:
    header = {"idempotency-key": "once"}
    first, again = [
        await shop.call("POST", PATH, role="buyer", json={"customer_id": BUYER}, headers=header) for _ in range(2)
    ]
    assert first.json() == again.json()
    assert (await ask(shop)).json()["id"] != first.json()["id"]


WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"limit": 0}, 400, "limit"),
    ({"limit": 51}, 400, "limit"),
    ({"wish": " "}, 400, "wish"),
    ({"wish": "a\0b"}, 400, "wish"),
    ({"exclude": ["a b"]}, 400, "exclude.0"),
    ({"colour": "red"}, 400, "colour"),
    ({"wish": "something blue"}, 409, "wish"),
]


async def test_what_is_wrong_is_named(shop: Gateway) -> None:
    for wrong, status, param in WRONG:
        answer = await ask(shop, **wrong)
        assert (answer.status_code, answer.json()["param"]) == (status, param), wrong


async def test_reactions_are_kept_once_with_their_propensities(exploring: Gateway) -> None:
    slate = (await ask(exploring, limit=3)).json()
    last = slate["items"][-1]
    assert [each["propensity"] for each in slate["items"][:2]] == [1, 1]
    assert last["propensity"] in (0.625, 0.125)
    first = await tell(exploring, slate["id"], (last["sku"], "shown"), (last["sku"], "clicked"))
    assert first.status_code == 200
    again = await tell(exploring, slate["id"], (last["sku"], "clicked"), (last["sku"], "clicked"))
    assert again.json()["reactions"] == [first.json()["reactions"][1]] * 2
    log = EventLog(exploring.parts.database)
    entries = [entry.event async for entry in log.read(TENANT, tuple(REACTIONS))]
    assert [each.kind for each in entries] == ["recommendation_shown", "recommendation_clicked"]
    assert entries[0].id == f"{slate['id']}/{last['sku']}"
    assert entries[0].body == {
        "slate": slate["id"],
        "customer": BUYER,
        "item": last["sku"],
        "position": 3,
        "propensity": last["propensity"],
    }


async def test_only_the_owner_tells_and_only_of_what_was_there(shop: Gateway) -> None:
    slate = (await ask(shop, limit=2, new_only=False)).json()
    there = slate["items"][0]["sku"]
    for role in ("newcomer", "visitor", "stranger"):
        assert (await tell(shop, slate["id"], (there, "clicked"), role=role)).status_code == 404
    wrong = await tell(shop, slate["id"], (there, "clicked"), ("SKU-9999", "clicked"))
    assert (wrong.status_code, wrong.json()["param"]) == (404, "sku")
    assert (await tell(shop, "rec_" + "0" * 32, (there, "clicked"))).status_code == 404
    assert (await tell(shop, slate["id"])).status_code == 400
    assert (await tell(shop, slate["id"], (there, "loved"))).status_code == 400
    assert await EventLog(shop.parts.database).length(TENANT) == 0
    assert (await tell(shop, slate["id"], (there, "clicked"), role="staff")).status_code == 200


async def test_policies_are_judged_by_what_was_logged(exploring: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    few = await exploring.call("GET", f"{PATH}/evaluation", role="engineer")
    assert (few.status_code, few.json()["code"]) == (409, "too_few_rounds")
    assert (await exploring.call("GET", f"{PATH}/evaluation", role="staff")).status_code == 403
    monkeypatch.setattr("tabular.recommend.evaluation.LEAST", 30)
    recommending = exploring.parts.recommending
    best: set[str] = set()
    for number in range(41):
        made = await recommending.maker.make(TENANT, Asking(BUYER, 1))
        [place] = made.slate.places
        # The customer clicks on the best candidate, and on no other.
        greedy = place.propensity > 0.5
        best |= {place.item} if greedy else set()
        if number:
            # Of what nobody has seen nothing is learned.
            told = [(place.item, Reaction.CLICKED if greedy else Reaction.SHOWN)]
            await recommending.reactions.take(TENANT, made.slate.id, told)
    assert len(best) == 1
    found = (await exploring.call("GET", f"{PATH}/evaluation", role="engineer")).json()
    assert (found["policy"], found["reward"], found["rounds"]) == ("greedy", "clicked", 40)
    assert found["self_normalised"]["value"] == pytest.approx(1)
    assert found["ips"]["low"] <= 1 <= found["ips"]["high"]
    assert 0.3 < found["logged"]["value"] < 0.95
    alike = await exploring.call("GET", f"{PATH}/evaluation?policy=epsilon_greedy&epsilon=1", role="engineer")
    assert alike.json()["doubly_robust"]["low"] <= 0.25 <= alike.json()["doubly_robust"]["high"]
    nothing = await exploring.call("GET", f"{PATH}/evaluation?reward=bought", role="engineer")
    assert nothing.json()["ips"] == {"value": 0, "low": 0, "high": 0}


async def test_the_tool_asks_what_is_in_force(shop: Gateway) -> None:
    call = {"arguments": {"customer_id": NEWCOMER, "limit": 3}}
    answer = await shop.call("POST", "/api/tools/recommend_products", role="newcomer", json=call)
    assert answer.status_code == 200, answer.text
    items = answer.json()["result"]
    assert len(items) == 3
    assert NEWCOMERS not in [each["sku"] for each in items]
    assert set(items[0]) == {"sku", "name", "price", "score", "reason", "because_of"}
