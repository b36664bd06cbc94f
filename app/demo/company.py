"""Harbor & Pine, a company that does not exist: all its records, made from a seed.

The same seed and day give the same records, whatever was made before. Its help-centre articles are written, not
made: they lie in `articles/`, and the records keep to what they promise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from app.demo.catalog import read_catalog, stock_products
from app.demo.customers import draw_customers
from app.demo.orders import draw_orders
from app.demo.sales import as_series, draw_demand
from app.demo.tickets import draw_tickets
from app.demo.transactions import draw_transactions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.demo.catalog import Product, Supplier
    from app.demo.customers import Customer
    from app.demo.orders import Order
    from app.demo.sales import ProductSales
    from app.demo.tickets import Ticket
    from app.demo.transactions import Transaction

TODAY = date(2026, 6, 30)

POINTS_WAIT = timedelta(days=14)
"""How long after delivery points become active, as the article on Trail Points says."""


@dataclass(frozen=True, slots=True)
class Company:
    """All records as they stand on `today`, each kind in the order of its ids."""

    today: date
    suppliers: tuple[Supplier, ...]
    products: tuple[Product, ...]
    sales: tuple[ProductSales, ...]
    customers: tuple[Customer, ...]
    orders: tuple[Order, ...]
    tickets: tuple[Ticket, ...]
    transactions: tuple[Transaction, ...]


def generate(seed: int = 7, today: date = TODAY) -> Company:
    """Make the company's records as seen at noon (UTC) of `today`.

    Each kind draws from a stream of its own, so that a change to one leaves the chances of the others alone.
    """
    streams = np.random.default_rng(seed).spawn(6)
    catalog = read_catalog()
    demand = draw_demand(streams[0], catalog, today)
    products = stock_products(streams[1], catalog, demand.units)
    customers = draw_customers(streams[2], today)
    orders = draw_orders(streams[3], catalog, products, demand, customers, today)
    return Company(
        today=today,
        suppliers=catalog.suppliers,
        products=products,
        sales=as_series(products, demand),
        customers=_with_points(customers, orders, today),
        orders=orders,
        tickets=draw_tickets(streams[4], products, customers, orders, today),
        transactions=draw_transactions(streams[5], customers, orders, today),
    )


def _with_points(customers: Sequence[Customer], orders: Sequence[Order], today: date) -> tuple[Customer, ...]:
    """Give customers one point for each full euro of goods delivered, and turn each full 500 into vouchers."""
    points = dict.fromkeys((customer.id for customer in customers), 0)
    for order in orders:
        if order.delivered is not None and order.delivered.date() <= today - POINTS_WAIT:
            points[order.customer_id] += int(order.total - order.delivery_fee)
    return tuple(replace(customer, points=points[customer.id] % 500) for customer in customers)
