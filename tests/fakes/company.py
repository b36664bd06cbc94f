"""A small company made by hand, as nouns: what the contract suites of its systems know it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from core.orders import Order, OrderLine, OrderStatus
from core.purchasing import Product, PurchaseOrder, SalesHistory, Supplier
from core.tickets import Ticket, TicketCategory, TicketPriority, TicketStatus

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
CUSTOMERS = ("CUS-00001", "CUS-00002")


@dataclass(slots=True)
class FakeCompany:
    """One tenant's things by id."""

    customers: tuple[str, ...] = CUSTOMERS
    orders: dict[str, Order] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)
    suppliers: dict[str, Supplier] = field(default_factory=dict)
    sales: dict[str, SalesHistory] = field(default_factory=dict)
    purchase_orders: dict[str, PurchaseOrder] = field(default_factory=dict)


def make_company() -> FakeCompany:
    """Orders in every state, some tickets, two suppliers with three products, and nothing bought yet."""
    statuses = (
        OrderStatus.PLACED,
        OrderStatus.PACKING,
        OrderStatus.SHIPPED,
        OrderStatus.DELIVERED,
        OrderStatus.CANCELLED,
        OrderStatus.LOST,
        OrderStatus.PLACED,
    )
    orders = [_order(10421 + number, status) for number, status in enumerate(statuses)]
    tickets = [_ticket(29 + number, status) for number, status in enumerate(TicketStatus)]
    suppliers = (
        Supplier("SUP-01", "Mill", "IE", 7, Decimal("100.00"), 4, 30),
        Supplier("SUP-02", "Forge", "DK", 14, Decimal("0.00"), 1, 45),
    )
    products = (
        Product("SKU-0001", "Camp kettle", "kitchen", Decimal("24.00"), Decimal("9.50"), 12, 0, 9, "SUP-01"),
        Product("SKU-0002", "Wool blanket", "sleep", Decimal("60.00"), Decimal("25.00"), 3, 0, 8, "SUP-01"),
        Product("SKU-0003", "Kettle hook 100%", "kitchen", Decimal("5.00"), Decimal("1.25"), 0, 0, 15, "SUP-02"),
    )
    sales = (
        SalesHistory("SKU-0001", date(2026, 2, 1), (2, 0, 5, 1), (False, False, True, False)),
        SalesHistory("SKU-0003", date(2026, 2, 3), (7, 1), (False, False)),
    )
    return FakeCompany(
        orders={order.id: order for order in orders},
        tickets={ticket.id: ticket for ticket in tickets},
        products={product.sku: product for product in products},
        suppliers={supplier.id: supplier for supplier in suppliers},
        sales={series.sku: series for series in sales},
    )


def _order(number: int, status: OrderStatus) -> Order:
    """Orders with odd numbers are the first customer's. Those on their way have been charged, half of 40 refunded."""
    placed = START + timedelta(hours=number)
    sent = status in (OrderStatus.SHIPPED, OrderStatus.DELIVERED, OrderStatus.LOST)
    at_once = number == 10427
    return Order(
        id=f"ORD-{number}",
        customer_id=CUSTOMERS[1 - number % 2],
        status=status,
        placed=placed,
        shipped=placed + timedelta(days=1) if sent else None,
        delivered=placed + timedelta(days=3) if status is OrderStatus.DELIVERED else None,
        address="Ann Nolan, 3 Quay Street, Galway, Ireland",
        method="standard",
        carrier="Post",
        tracking="AB123" if sent else None,
        lines=(OrderLine("SKU-0001", 1, Decimal("24.00")), OrderLine("SKU-0003", 2, Decimal("5.00"))),
        delivery_fee=Decimal("6.00"),
        total=Decimal("40.00"),
        paid_with="ideal" if at_once else "card",
        charged=Decimal("40.00") if sent or at_once else Decimal("0.00"),
        refunded=Decimal("20.00") if sent else Decimal("0.00"),
    )


def _ticket(number: int, status: TicketStatus) -> Ticket:
    return Ticket(
        id=f"TCK-{number:05}",
        customer_id=CUSTOMERS[1 - number % 2],
        order_id="ORD-10421" if number % 2 else None,
        subject="Where is it?",
        message="My parcel has not come.",
        category=TicketCategory.DELIVERY,
        priority=TicketPriority.URGENT if status is TicketStatus.PENDING else TicketPriority.NORMAL,
        status=status,
        assignee="maeve" if status is not TicketStatus.OPEN else None,
        team=None,
        created=START + timedelta(hours=number),
    )
