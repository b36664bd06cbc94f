"""What is done with the company's records: notes, changes, purchase orders, outcomes.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from core.database import Money, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tickets", sa.Column("team", sa.String(length=16), nullable=True))

    op.create_table(
        "ticket_notes",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("ticket_id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("team", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant", "ticket_id"],
            ["tickets.tenant", "tickets.id"],
            name=op.f("fk_ticket_notes_tenant_ticket_id_tickets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant", "ticket_id", "number", name=op.f("pk_ticket_notes")),
    )
    op.create_table(
        "order_changes",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("amount", Money(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "order_id"],
            ["orders.tenant", "orders.id"],
            name=op.f("fk_order_changes_tenant_order_id_orders"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant", "order_id", "number", name=op.f("pk_order_changes")),
    )
    op.create_table(
        "purchase_orders",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("supplier_id", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("placed", UtcDateTime(), nullable=False),
        sa.Column("expected", sa.Date(), nullable=False),
        sa.Column("received", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant", "supplier_id"],
            ["suppliers.tenant", "suppliers.id"],
            name=op.f("fk_purchase_orders_tenant_supplier_id_suppliers"),
        ),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_purchase_orders")),
    )
    op.create_index(op.f("ix_purchase_orders_tenant_placed"), "purchase_orders", ["tenant", "placed"], unique=False)

    op.create_table(
        "purchase_order_lines",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("po_id", sa.String(length=16), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("sku", sa.String(length=16), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_cost", Money(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "po_id"],
            ["purchase_orders.tenant", "purchase_orders.id"],
            name=op.f("fk_purchase_order_lines_tenant_po_id_purchase_orders"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "sku"],
            ["products.tenant", "products.sku"],
            name=op.f("fk_purchase_order_lines_tenant_sku_products"),
        ),
        sa.PrimaryKeyConstraint("tenant", "po_id", "line", name=op.f("pk_purchase_order_lines")),
    )
    op.create_index(op.f("ix_purchase_order_lines_tenant_sku"), "purchase_order_lines", ["tenant", "sku"], unique=False)

    op.create_table(
        "outcomes",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("system", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "system", "key", name=op.f("pk_outcomes")),
    )
    op.create_table(
        "sequences",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("prefix", sa.String(length=8), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "prefix", name=op.f("pk_sequences")),
    )


def downgrade() -> None:
    op.drop_table("sequences")
    op.drop_table("outcomes")
    op.drop_index(op.f("ix_purchase_order_lines_tenant_sku"), "purchase_order_lines")

    op.drop_table("purchase_order_lines")
    op.drop_index(op.f("ix_purchase_orders_tenant_placed"), "purchase_orders")

    op.drop_table("purchase_orders")
    op.drop_table("order_changes")
    op.drop_table("ticket_notes")
    op.drop_column("tickets", "team")
