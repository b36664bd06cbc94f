from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from app.segments.training import TrainedSegments, candidate, train_segments
from core.errors import InvalidInput
from core.orders import Order, OrderStatus
from core.versions import Kind
from tabular.tasks.segments import Segments
from tabular.tasks.storing import load
from tests.fakes.company import FakeCompany, make_company
from tests.fakes.systems import FakeOrders

TENANT = "harbor"
NOW = datetime(2026, 9, 1, tzinfo=UTC)
LAST = datetime(2026, 6, 1, 9, tzinfo=UTC)
ONE = next(each for each in make_company().orders.values() if each.status is OrderStatus.DELIVERED)


def company(customers: int = 60) -> FakeCompany:
    """Of three customers one buys often and much, one did so long ago, and one bought little once, a while ago."""
    orders: dict[str, Order] = {}
    for number in range(customers):
        ago, times, amount = ((0, 9, 200), (300, 3, 60), (60, 1, 9))[number % 3]
        for time in range(times):
            paid = Decimal(amount) + Decimal(number) / 10
            order = replace(
                ONE,
                id=f"ORD-{len(orders):05}",
                customer_id=f"CUS-{number:05}",
                placed=LAST - timedelta(days=ago + 20 * time, hours=number),
                charged=paid,
                refunded=Decimal(0),
                total=paid,
            )
            orders[order.id] = order
    return FakeCompany(orders=orders)


async def trained(made: FakeCompany) -> TrainedSegments:
    orders = FakeOrders({TENANT: made, "rival": company(90)})
    return await train_segments(orders, TENANT, now=NOW, say=lambda _: None)


def read(told: object) -> Segments:
    assert isinstance(told, dict)
    return Segments.read(told["segments"])


async def test_segments_are_found_in_the_tenants_orders_as_of_the_latest(tmp_path: Path) -> None:
    said: list[str] = []
    found = await train_segments(FakeOrders({TENANT: company()}), TENANT, now=NOW, say=said.append)
    assert said == ["260 purchases of 60 customers"]
    assert (found.moment, found.customers, found.purchases) == (LAST, 60, 260)
    made = candidate(found, tmp_path / "new", "wayside 1")
    assert (made.model, made.kind) == ("segments", Kind.TABULAR)
    assert [name for name, metric in made.metrics.items() if metric.gates] == ["held-out/silhouette"]
    segments = load("segments", made.files, read)
    assert [each.customers for each in segments.each] == [20, 20, 20]
    assert segments.each[0].words == "bought lately, buys often, spends much"
    for told in (
        "as they were on 01 June 2026",
        "1. bought lately, buys often, spends much: 20 customers",
        "% of the sp",
    ):
        assert told in made.card
    assert "held-out/silhouette: 0." in made.card


async def test_equal_orders_give_equal_versions_and_other_orders_others(tmp_path: Path) -> None:
    same, again, other = company(), company(), company()
    other.orders["ORD-00000"] = replace(other.orders["ORD-00000"], refunded=Decimal(50))
    made = [
        candidate(await trained(each), tmp_path / f"{place}", "c") for place, each in enumerate((same, again, other))
    ]
    files = [next(iter(each.files.values())).read_bytes() for each in made]
    assert (made[0].lineage, files[0]) == (made[1].lineage, files[1])
    assert made[0].lineage.data != made[2].lineage.data
    assert files[0] != files[2]


async def test_a_cancelled_order_is_no_purchase() -> None:
    cancelled = company()
    gone = {
        each.id: replace(each, status=OrderStatus.CANCELLED) for each in cancelled.orders.values() if each.id[-1] == "0"
    }
    cancelled.orders |= gone
    assert (await trained(cancelled)).purchases == 260 - len(gone)


async def test_a_company_without_purchases_or_with_few_customers_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no purchases"):
        await trained(FakeCompany())
    with pytest.raises(InvalidInput, match="49 customers: 50 are the least"):
        await trained(company(49))
