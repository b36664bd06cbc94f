import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal

import numpy as np
import pytest

from app.demo.catalog import Product
from app.demo.company import Company, generate
from app.demo.delivery import CARRIERS
from app.demo.orders import PAID_AT_ONCE, Order, seen_at
from app.demo.sales import DAYS
from core.orders import OrderStatus

COUNTS = {
    "suppliers": 12,
    "products": 300,
    "sales": 300,
    "customers": 600,
    "orders": 2500,
    "tickets": 60,
    "transactions": 20_000,
}
IDS = {
    "suppliers": r"SUP-\d{2}",
    "products": r"SKU-\d{4}",
    "customers": r"CUS-\d{5}",
    "orders": r"ORD-\d{5}",
    "tickets": r"TCK-\d{5}",
    "transactions": r"TXN-\d{6}",
}


def _id(record: object) -> str:
    return record.sku if isinstance(record, Product) else str(record.id)  # type: ignore[attr-defined]


def _lawful_order(order: Order) -> bool:
    """Whether the moments of an order fit its status, and each other."""
    if order.status in (OrderStatus.PLACED, OrderStatus.PACKING, OrderStatus.CANCELLED):
        return order.shipped is None and order.delivered is None and order.tracking is None
    if order.shipped is None or order.tracking is None or not order.placed < order.shipped:
        return False
    if order.status is OrderStatus.DELIVERED:
        return order.delivered is not None and order.shipped < order.delivered
    return order.delivered is None


def _numbers(record: object) -> Iterator[object]:
    if is_dataclass(record):
        for field in fields(record):
            yield from _numbers(getattr(record, field.name))
    elif isinstance(record, tuple):
        for part in record[:50]:
            yield from _numbers(part)
    else:
        yield record


def test_the_same_seed_and_day_give_the_same_records(company: Company) -> None:
    assert generate() == company


def test_another_seed_gives_other_records_of_the_same_catalogue(company: Company, sunday_company: Company) -> None:
    assert [product.name for product in company.products] == [product.name for product in sunday_company.products]
    assert company.orders != sunday_company.orders
    assert company.transactions != sunday_company.transactions


def test_counts(any_company: Company) -> None:
    assert {kind: len(getattr(any_company, kind)) for kind in COUNTS} == COUNTS


@pytest.mark.parametrize("kind", IDS)
def test_ids_are_unique_in_order_and_look_as_promised(any_company: Company, kind: str) -> None:
    ids = [_id(record) for record in getattr(any_company, kind)]
    assert ids == sorted(set(ids))
    assert all(re.fullmatch(IDS[kind], identifier) for identifier in ids)


def test_ids_named_in_the_contract_exist(company: Company) -> None:
    known = {_id(record) for kind in IDS for record in getattr(company, kind)}
    assert {"ORD-10421", "SKU-0137", "TCK-00031", "CUS-00210", "SUP-07"} <= known


def test_references_lead_somewhere(any_company: Company) -> None:
    customers = {customer.id for customer in any_company.customers}
    orders = {order.id for order in any_company.orders}
    products = {product.sku for product in any_company.products}
    tickets = {ticket.id for ticket in any_company.tickets}
    assert {product.supplier_id for product in any_company.products} <= {row.id for row in any_company.suppliers}
    assert [series.sku for series in any_company.sales] == [product.sku for product in any_company.products]
    assert {order.customer_id for order in any_company.orders} <= customers
    assert {line.sku for order in any_company.orders for line in order.lines} <= products
    assert {ticket.customer_id for ticket in any_company.tickets} <= customers
    assert {ticket.order_id for ticket in any_company.tickets} <= orders | {None}
    assert {ticket.duplicate_of for ticket in any_company.tickets} <= tickets | {None}
    assert {use.customer_id for use in any_company.transactions} <= customers | {None}
    assert {use.order_id for use in any_company.transactions} <= orders | {None}


def test_names_and_mail_addresses_are_unique(any_company: Company) -> None:
    assert len({product.name for product in any_company.products}) == 300
    assert len({customer.email for customer in any_company.customers}) == 600
    assert all(customer.email.endswith("@example.com") for customer in any_company.customers)


def test_money_is_decimal_in_whole_cents(company: Company) -> None:
    records = (company.suppliers, company.products, company.orders, company.tickets, company.transactions[:500])
    numbers = [number for kind in records for record in kind for number in _numbers(record)]
    assert not [number for number in numbers if isinstance(number, float)]
    amounts = [number for number in numbers if isinstance(number, Decimal)]
    assert len(amounts) > 10_000
    assert all(amount >= 0 and amount.as_tuple().exponent == -2 for amount in amounts)


def test_order_totals_add_up(any_company: Company) -> None:
    for order in any_company.orders:
        goods = sum(line.unit_price * line.quantity for line in order.lines)
        assert order.lines, order.id
        assert goods + order.delivery_fee == order.total
        assert order.refunded <= order.charged


def test_order_dates_fit_their_status_and_lie_in_order(any_company: Company) -> None:
    joined = {customer.id: customer.joined for customer in any_company.customers}
    now = seen_at(any_company.today)
    for order in any_company.orders:
        assert _lawful_order(order), order
        assert joined[order.customer_id] <= order.placed.date()
        assert (order.delivered or order.shipped or order.placed) <= now


def test_orders_are_in_every_state_and_some_went_wrong(any_company: Company) -> None:
    statuses = Counter(order.status for order in any_company.orders)
    assert statuses[OrderStatus.PLACED] >= 2
    assert statuses[OrderStatus.SHIPPED] > 10
    assert statuses[OrderStatus.CANCELLED] > 30
    assert statuses[OrderStatus.LOST] == 24
    assert sum(order.charged > order.total for order in any_company.orders) == 12


def test_nothing_is_charged_before_it_ships_unless_paid_at_once(any_company: Company) -> None:
    for order in any_company.orders:
        if order.shipped is None and order.paid_with not in PAID_AT_ONCE:
            assert order.charged == 0


def test_tracking_numbers_are_unique_and_are_their_carriers(any_company: Company) -> None:
    shipped = [order for order in any_company.orders if order.tracking]
    assert len({order.tracking for order in shipped}) == len(shipped)
    for order in shipped:
        carrier, prefix, digits = CARRIERS[order.method]
        assert order.carrier == carrier
        assert re.fullmatch(rf"{prefix}\d{{{digits}}}", order.tracking or "")


def test_fuel_goes_by_standard_delivery_and_not_to_zone_three(any_company: Company) -> None:
    fuel = {product.sku for product in any_company.products if "canister" in product.name.lower()}
    orders = [order for order in any_company.orders if fuel & {line.sku for line in order.lines}]
    assert orders
    assert {order.method for order in orders} == {"standard"}
    assert not [order for order in orders if order.address.endswith(("United Kingdom", "Switzerland", "Norway"))]


def test_saturday_sells_most_and_sunday_least(any_company: Company) -> None:
    units = np.array([series.units for series in any_company.sales]).sum(axis=0)
    first = any_company.sales[0].first_day.weekday()
    week = [units[(np.arange(DAYS) + first) % 7 == day].mean() for day in range(7)]
    assert np.argmax(week) == 5
    assert np.argmin(week) == 6
    assert week[5] > 1.3 * week[1]


@pytest.mark.parametrize(("family", "high", "low"), [("tents", 6, 12), ("cycling", 5, 1), ("lighting", 12, 6)])
def test_families_have_their_season(company: Company, family: str, high: int, low: int) -> None:
    skus = {product.sku for product in company.products if product.family == family}
    units = np.array([series.units for series in company.sales if series.sku in skus]).sum(axis=0)
    dates = np.datetime64(company.sales[0].first_day) + np.arange(DAYS)
    month = dates.astype("datetime64[M]").astype(int) % 12 + 1
    assert units[month == high].mean() > 1.5 * units[month == low].mean()


def test_promotions_raise_sales(company: Company) -> None:
    units = np.array([series.units for series in company.sales])
    promoted = np.array([series.promoted for series in company.sales])
    assert 0.03 < promoted.mean() < 0.2
    fast = units.mean(axis=1) > 1
    ratios = [
        row[flag].mean() / row[~flag].mean()
        for row, flag in zip(units[fast], promoted[fast], strict=True)
        if flag.any()
    ]
    assert np.median(ratios) > 1.25


def test_some_products_sell_now_and_then_only(any_company: Company) -> None:
    units = np.array([series.units for series in any_company.sales])
    idle = (units == 0).mean(axis=1)
    assert (idle > 0.85).sum() >= 30
    assert (idle < 0.3).sum() >= 60


def test_some_stocks_run_out_before_a_delivery_could_come(company: Company) -> None:
    pace = [sum(series.units[-56:]) / 56 for series in company.sales]
    short = [p.stock < pace[i] * p.lead_time_days for i, p in enumerate(company.products)]
    assert 10 <= sum(short) <= 60


def test_fraud_is_rare_labelled_and_of_three_kinds(any_company: Company) -> None:
    patterns = Counter(use.pattern for use in any_company.transactions if use.fraud)
    assert set(patterns) == {"stolen_card", "compromised_terminal", "card_testing"}
    assert min(patterns.values()) >= 50
    assert 0.01 < sum(patterns.values()) / 20_000 < 0.04
    assert all(bool(use.pattern) is use.fraud for use in any_company.transactions)


def test_transactions_are_in_order_of_time_and_not_from_the_future(any_company: Company) -> None:
    moments = [use.at for use in any_company.transactions]
    assert moments == sorted(moments)
    assert moments[-1] <= seen_at(any_company.today)


def test_each_order_paid_by_card_has_its_payment_and_a_double_charge_two(any_company: Company) -> None:
    payments = Counter(use.order_id for use in any_company.transactions if use.order_id)
    amounts = {use.order_id: use.amount for use in any_company.transactions}
    by_card = [order for order in any_company.orders if order.paid_with == "card"]
    assert payments == {order.id: 2 if order.charged > order.total else 1 for order in by_card}
    assert all(amounts[order.id] == order.total for order in by_card)


def test_duplicate_tickets_follow_their_original_and_concern_the_same(any_company: Company) -> None:
    tickets = {ticket.id: ticket for ticket in any_company.tickets}
    duplicates = [ticket for ticket in any_company.tickets if ticket.duplicate_of]
    assert len(duplicates) == 7
    for ticket in duplicates:
        original = tickets[ticket.duplicate_of or ""]
        assert original.created < ticket.created
        assert (original.customer_id, original.order_id, original.category) == (
            ticket.customer_id,
            ticket.order_id,
            ticket.category,
        )
        assert original.message != ticket.message


def test_tickets_name_their_order_and_leave_no_blank(any_company: Company) -> None:
    orders = {order.id: order for order in any_company.orders}
    for ticket in any_company.tickets:
        assert not re.search(r"[{}]|\bNone\b", ticket.message)
        if ticket.order_id:
            assert ticket.order_id in ticket.message
            assert orders[ticket.order_id].customer_id == ticket.customer_id
            assert orders[ticket.order_id].placed < ticket.created
        assert ticket.created <= seen_at(any_company.today)
