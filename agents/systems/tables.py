"""What is done with the company's records, as tables: notes, changes, purchase orders, and the outcome of each act."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, Date, ForeignKeyConstraint, Index, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

# Imported for its tables, which the foreign keys below refer to.
import agents.records  # noqa: F401
from core.database import Base, Money, UtcDateTime


class TicketNoteRecord(Base):
    """A note on a ticket, numbered from 1. `team` is set where the ticket was handed over with it."""

    __tablename__ = "ticket_notes"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "ticket_id"], ["tickets.tenant", "tickets.id"], ondelete="CASCADE"),
    )

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    text: Mapped[str] = mapped_column(Text)
    team: Mapped[str | None] = mapped_column(String(16))


class OrderChangeRecord(Base):
    """Something done with an order, numbered from 1: `cancelled`, `redirected` or `refunded`, and why.

    `amount` is what was paid back by it. `detail` is the reason, or the address that the order went to before.
    """

    __tablename__ = "order_changes"
    __table_args__ = (ForeignKeyConstraint(["tenant", "order_id"], ["orders.tenant", "orders.id"], ondelete="CASCADE"),)

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    order_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(String(16))
    detail: Mapped[str] = mapped_column(Text)
    amount: Mapped[Decimal] = mapped_column(Money)


class PurchaseOrderRecord(Base):
    """Goods bought from a supplier; `received` is when the last of them came."""

    __tablename__ = "purchase_orders"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "supplier_id"], ["suppliers.tenant", "suppliers.id"]),
        Index(None, "tenant", "placed"),
    )

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    supplier_id: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    placed: Mapped[datetime] = mapped_column(UtcDateTime)
    expected: Mapped[date] = mapped_column(Date)
    received: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PurchaseOrderLineRecord(Base):
    """Pieces of one product in a purchase order, at the cost of the day; `received` of them have come."""

    __tablename__ = "purchase_order_lines"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "po_id"], ["purchase_orders.tenant", "purchase_orders.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant", "sku"], ["products.tenant", "products.sku"]),
        Index(None, "tenant", "sku"),
    )

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    po_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    sku: Mapped[str] = mapped_column(String(16))
    quantity: Mapped[int]
    unit_cost: Mapped[Decimal] = mapped_column(Money)
    received: Mapped[int]


class OutcomeRecord(Base):
    """What an act with this key did in one of the systems, written in the transaction that did it.

    `fingerprint` is the SHA-256 of the action; `result` is null only inside that transaction.
    """

    __tablename__ = "outcomes"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    system: Mapped[str] = mapped_column(String(16), primary_key=True)
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class SequenceRecord(Base):
    """The last number given out for ids with this prefix."""

    __tablename__ = "sequences"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    prefix: Mapped[str] = mapped_column(String(8), primary_key=True)
    last: Mapped[int]
