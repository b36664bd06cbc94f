"""The company's records as tables: customers, products, suppliers, orders, sales, tickets, card transactions.

They are what the support and procurement tools read and change, and what the tabular models learn from. The
dates and words are those of the tools' contract; every primary key begins with the tenant.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Date, ForeignKeyConstraint, Index, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, Money, UtcDateTime


class SupplierRecord(Base):
    """A supplier; purchase orders reach `minimum_order` and come in multiples of `pack_size` pieces."""

    __tablename__ = "suppliers"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    country: Mapped[str] = mapped_column(String(2))
    lead_time_days: Mapped[int]
    minimum_order: Mapped[Decimal] = mapped_column(Money)
    pack_size: Mapped[int]
    payment_days: Mapped[int]


class ProductRecord(Base):
    """A product; `stock` is the number of pieces in the warehouse."""

    __tablename__ = "products"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "supplier_id"], ["suppliers.tenant", "suppliers.id"]),
        Index(None, "tenant", "family"),
    )

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    sku: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    family: Mapped[str] = mapped_column(String(32))
    price: Mapped[Decimal] = mapped_column(Money)
    cost: Mapped[Decimal] = mapped_column(Money)
    stock: Mapped[int]
    lead_time_days: Mapped[int]
    supplier_id: Mapped[str] = mapped_column(String(16))


class CustomerRecord(Base):
    """A customer with an account; `points` are the active ones."""

    __tablename__ = "customers"
    __table_args__ = (Index(None, "tenant", "email", unique=True),)

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    street: Mapped[str] = mapped_column(String(120))
    city: Mapped[str] = mapped_column(String(120))
    country: Mapped[str] = mapped_column(String(2))
    joined: Mapped[date] = mapped_column(Date)
    points: Mapped[int]


class OrderRecord(Base):
    """An order; `charged` is what was taken from the customer so far and `refunded` what was paid back."""

    __tablename__ = "orders"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "customer_id"], ["customers.tenant", "customers.id"]),
        Index(None, "tenant", "customer_id", "placed"),
    )

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    customer_id: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    placed: Mapped[datetime] = mapped_column(UtcDateTime)
    shipped: Mapped[datetime | None] = mapped_column(UtcDateTime)
    delivered: Mapped[datetime | None] = mapped_column(UtcDateTime)
    address: Mapped[str] = mapped_column(Text)
    method: Mapped[str] = mapped_column(String(16))
    carrier: Mapped[str] = mapped_column(String(32))
    tracking: Mapped[str | None] = mapped_column(String(32))
    delivery_fee: Mapped[Decimal] = mapped_column(Money)
    total: Mapped[Decimal] = mapped_column(Money)
    paid_with: Mapped[str] = mapped_column(String(16))
    charged: Mapped[Decimal] = mapped_column(Money)
    refunded: Mapped[Decimal] = mapped_column(Money)


class OrderLineRecord(Base):
    """Pieces of one product in an order, at the price of the day."""

    __tablename__ = "order_lines"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "order_id"], ["orders.tenant", "orders.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant", "sku"], ["products.tenant", "products.sku"]),
        Index(None, "tenant", "sku"),
    )

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    order_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    sku: Mapped[str] = mapped_column(String(16))
    quantity: Mapped[int]
    unit_price: Mapped[Decimal] = mapped_column(Money)


class SaleRecord(Base):
    """Pieces of one product sold on one day through all channels. A product has a row for each of its days."""

    __tablename__ = "sales"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "sku"], ["products.tenant", "products.sku"]),
        {"sqlite_with_rowid": False},
    )

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    sku: Mapped[str] = mapped_column(String(16), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    units: Mapped[int]
    promoted: Mapped[bool]


class TicketRecord(Base):
    """A customer's request. `duplicate_of` is the earlier ticket about the same thing, where there is one."""

    __tablename__ = "tickets"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "customer_id"], ["customers.tenant", "customers.id"]),
        ForeignKeyConstraint(["tenant", "order_id"], ["orders.tenant", "orders.id"]),
        Index(None, "tenant", "status", "created"),
    )

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    customer_id: Mapped[str | None] = mapped_column(String(16))
    order_id: Mapped[str | None] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(200))
    message: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(String(16))
    priority: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    assignee: Mapped[str | None] = mapped_column(String(64))
    team: Mapped[str | None] = mapped_column(String(16))
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    duplicate_of: Mapped[str | None] = mapped_column(String(16))


class TransactionRecord(Base):
    """One use of a card, with the label that the fraud model learns; `pattern` is empty where it is honest."""

    __tablename__ = "transactions"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "customer_id"], ["customers.tenant", "customers.id"]),
        ForeignKeyConstraint(["tenant", "order_id"], ["orders.tenant", "orders.id"]),
        Index(None, "tenant", "card_id", "at"),
        Index(None, "tenant", "order_id"),
    )

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    card_id: Mapped[str] = mapped_column(String(16))
    customer_id: Mapped[str | None] = mapped_column(String(16))
    terminal_id: Mapped[str] = mapped_column(String(16))
    order_id: Mapped[str | None] = mapped_column(String(16))
    amount: Mapped[Decimal] = mapped_column(Money)
    fraud: Mapped[bool]
    pattern: Mapped[str] = mapped_column(String(32))
