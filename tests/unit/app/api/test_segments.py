"""/api/segments: who may ask, what is answered, and which model it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.errors import CorruptArtefact
from core.orders import Order, OrderStatus
from core.versions import Alias, Kind
from tests.fakes.candidates import candidate, measured
from tests.fakes.company import CUSTOMERS, FakeCompany, make_company
from tests.fakes.gateway import OTHER_TENANT, TENANT, Gateway
from tests.fakes.segments import MOMENT, promoted, segments_candidate

ANN, BEN = CUSTOMERS
ONE = next(each for each in make_company().orders.values() if each.status is OrderStatus.DELIVERED)


def order(number: int, customer: str, days: float, charged: str, **changes: Any) -> Order:
    told = {"charged": Decimal(charged), "refunded": Decimal(0), "total": Decimal(charged), **changes}
    return replace(ONE, id=f"ORD-{number}", customer_id=customer, placed=MOMENT - timedelta(days=days), **told)


def company() -> FakeCompany:
    """Ann spends much; Ben's only order is cancelled; another's is the latest of all."""
    orders = (
        order(1, ANN, 40, "900.10"),
        # Charged twice, which is owed back; half of another is paid back already.
        order(2, ANN, 20, "400.00", total=Decimal("200.00")),
        order(3, ANN, 10, "30.00", refunded=Decimal("15.05"), status=OrderStatus.LOST),
        # Cancelled, and its money is not back yet.
        order(4, ANN, 5, "700.00", status=OrderStatus.CANCELLED),
        order(5, BEN, 3, "0.00", status=OrderStatus.CANCELLED),
        order(6, "CUS-00003", 0, "0.00", status=OrderStatus.PLACED),
    )
    return FakeCompany(orders={each.id: each for each in orders})


@pytest.fixture
async def shop(served: Gateway, tmp_path: Path) -> Gateway:
    """The gateway with the company's orders, and segments in force."""
    served.parts.companies |= {TENANT: company(), OTHER_TENANT: company()}
    await put(served, tmp_path)
    return served


async def put(served: Gateway, folder: Path, words: str = "spends") -> None:
    await promoted(served.parts.trials.registry, segments_candidate(folder, words))
    await served.parts.segments.refresh()


async def ask(served: Gateway, path: str = "", role: str = "staff") -> Any:
    return await served.call("GET", f"/api/segments{path}", role=role)


async def test_the_segments_are_told_as_they_were_found(shop: Gateway) -> None:
    told = (await ask(shop)).json()
    assert (told["object"], told["model"], told["silhouette"]) == ("segments", 1, 0.4)
    assert told["as_of"] == MOMENT.isoformat()
    assert told["data"][0] == {
        "object": "segment",
        "number": 1,
        "words": "spends much",
        "customers": 10,
        "spending_share": 0.8765,
        "recency_days": 3.1,
        "purchases": 12.0,
        "spending": "1000.50",
    }
    assert [each["words"] for each in told["data"]] == ["spends much", "spends little"]


async def test_a_customers_segment_follows_from_what_they_really_paid(shop: Gateway) -> None:
    assert (await ask(shop, f"/{ANN}")).json() == {
        "object": "customer.segment",
        "customer_id": ANN,
        "segment": 1,
        "words": "spends much",
        # Up to the company's latest order, whatever the clock says.
        "recency_days": 10.0,
        "purchases": 3,
        "spending": "1115.05",
        "as_of": MOMENT.isoformat(),
        "model": 1,
    }
    newcomer = (await ask(shop, "/CUS-00003")).json()
    assert (newcomer["segment"], newcomer["purchases"], newcomer["spending"]) == (2, 1, "0.00")


async def test_the_next_answer_knows_an_order_and_a_refund(shop: Gateway) -> None:
    orders = shop.parts.companies[TENANT].orders
    orders["ORD-7"] = order(7, "CUS-00003", -2, "880.00")
    grown = (await ask(shop, "/CUS-00003")).json()
    assert (grown["segment"], grown["purchases"], grown["recency_days"]) == (1, 2, 0.0)
    assert (await ask(shop, f"/{ANN}")).json()["recency_days"] == 12.0
    orders["ORD-7"] = replace(orders["ORD-7"], refunded=Decimal("880.00"))
    assert (await ask(shop, "/CUS-00003")).json()["segment"] == 2


@pytest.mark.parametrize("customer", [BEN, "CUS-99999"])
async def test_a_customer_without_purchases_is_not_found(shop: Gateway, customer: str) -> None:
    answer = await ask(shop, f"/{customer}")
    assert (answer.status_code, answer.json()["param"]) == (404, "customer_id")
    assert f"{customer} has no purchases" in answer.json()["message"]


async def test_it_is_for_staff_of_the_company_whose_customers_they_are(shop: Gateway) -> None:
    for path in ("", f"/{ANN}"):
        assert (await ask(shop, path, role="client")).status_code == 403
        strange = await ask(shop, path, role="stranger")
        assert (strange.status_code, "spends" in strange.text) == (409, False)


async def test_without_a_champion_it_waits(served: Gateway) -> None:
    served.parts.companies[TENANT] = company()
    for path in ("", f"/{ANN}"):
        waiting = await ask(served, path)
        assert (waiting.status_code, waiting.json()["param"]) == (409, "model")
        assert "train one, and promote it" in waiting.json()["message"]


async def test_a_new_champion_is_taken_up_and_a_rollback_too(shop: Gateway, tmp_path: Path) -> None:
    await put(shop, tmp_path, "pays")
    assert (await ask(shop)).json()["model"] == 2
    assert (await ask(shop, f"/{ANN}")).json()["words"] == "pays much"
    registry = shop.parts.trials.registry
    await registry.rollback("segments", Alias.CHAMPION, "local:ada", "because")
    await shop.parts.segments.refresh()
    assert (await ask(shop, f"/{ANN}")).json()["words"] == "spends much"
    await registry.rollback("segments", Alias.CHAMPION, "local:ada", "because")
    await shop.parts.segments.refresh()
    assert (await ask(shop)).status_code == 409


async def test_a_broken_champion_leaves_the_one_before_in_force(shop: Gateway, tmp_path: Path) -> None:
    metrics = {"held-out/silhouette": measured(0.5)}
    broken = candidate(tmp_path / "new", "no segments", model="segments", kind=Kind.TABULAR, metrics=metrics)
    await promoted(shop.parts.trials.registry, broken)
    with pytest.raises(CorruptArtefact, match="holds no segments"):
        await shop.parts.segments.refresh()
    assert (await ask(shop)).json()["model"] == 1
