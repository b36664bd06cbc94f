"""The built-in company's records.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from core.database import Money, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customers",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("street", sa.String(length=120), nullable=False),
        sa.Column("city", sa.String(length=120), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("joined", sa.Date(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_customers")),
    )
    op.create_index(op.f("ix_customers_tenant_email"), "customers", ["tenant", "email"], unique=True)

    op.create_table(
        "suppliers",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("lead_time_days", sa.Integer(), nullable=False),
        sa.Column("minimum_order", Money(), nullable=False),
        sa.Column("pack_size", sa.Integer(), nullable=False),
        sa.Column("payment_days", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_suppliers")),
    )
    op.create_table(
        "orders",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("customer_id", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("placed", UtcDateTime(), nullable=False),
        sa.Column("shipped", UtcDateTime(), nullable=True),
        sa.Column("delivered", UtcDateTime(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("carrier", sa.String(length=32), nullable=False),
        sa.Column("tracking", sa.String(length=32), nullable=True),
        sa.Column("delivery_fee", Money(), nullable=False),
        sa.Column("total", Money(), nullable=False),
        sa.Column("paid_with", sa.String(length=16), nullable=False),
        sa.Column("charged", Money(), nullable=False),
        sa.Column("refunded", Money(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "customer_id"],
            ["customers.tenant", "customers.id"],
            name=op.f("fk_orders_tenant_customer_id_customers"),
        ),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_orders")),
    )
    op.create_index(
        op.f("ix_orders_tenant_customer_id_placed"), "orders", ["tenant", "customer_id", "placed"], unique=False
    )

    op.create_table(
        "products",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("family", sa.String(length=32), nullable=False),
        sa.Column("price", Money(), nullable=False),
        sa.Column("cost", Money(), nullable=False),
        sa.Column("stock", sa.Integer(), nullable=False),
        sa.Column("lead_time_days", sa.Integer(), nullable=False),
        sa.Column("supplier_id", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "supplier_id"],
            ["suppliers.tenant", "suppliers.id"],
            name=op.f("fk_products_tenant_supplier_id_suppliers"),
        ),
        sa.PrimaryKeyConstraint("tenant", "sku", name=op.f("pk_products")),
    )
    op.create_index(op.f("ix_products_tenant_family"), "products", ["tenant", "family"], unique=False)

    op.create_table(
        "order_lines",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=16), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("sku", sa.String(length=16), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price", Money(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "order_id"],
            ["orders.tenant", "orders.id"],
            name=op.f("fk_order_lines_tenant_order_id_orders"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "sku"], ["products.tenant", "products.sku"], name=op.f("fk_order_lines_tenant_sku_products")
        ),
        sa.PrimaryKeyConstraint("tenant", "order_id", "line", name=op.f("pk_order_lines")),
    )
    op.create_index(op.f("ix_order_lines_tenant_sku"), "order_lines", ["tenant", "sku"], unique=False)

    op.create_table(
        "sales",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("promoted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "sku"], ["products.tenant", "products.sku"], name=op.f("fk_sales_tenant_sku_products")
        ),
        sa.PrimaryKeyConstraint("tenant", "sku", "day", name=op.f("pk_sales")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tickets",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("customer_id", sa.String(length=16), nullable=True),
        sa.Column("order_id", sa.String(length=16), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=16), nullable=False),
        sa.Column("priority", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("assignee", sa.String(length=64), nullable=True),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("duplicate_of", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant", "customer_id"],
            ["customers.tenant", "customers.id"],
            name=op.f("fk_tickets_tenant_customer_id_customers"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "order_id"], ["orders.tenant", "orders.id"], name=op.f("fk_tickets_tenant_order_id_orders")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_tickets")),
    )
    op.create_index(op.f("ix_tickets_tenant_status_created"), "tickets", ["tenant", "status", "created"], unique=False)

    op.create_table(
        "transactions",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("card_id", sa.String(length=16), nullable=False),
        sa.Column("customer_id", sa.String(length=16), nullable=True),
        sa.Column("terminal_id", sa.String(length=16), nullable=False),
        sa.Column("order_id", sa.String(length=16), nullable=True),
        sa.Column("amount", Money(), nullable=False),
        sa.Column("fraud", sa.Boolean(), nullable=False),
        sa.Column("pattern", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "customer_id"],
            ["customers.tenant", "customers.id"],
            name=op.f("fk_transactions_tenant_customer_id_customers"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "order_id"], ["orders.tenant", "orders.id"], name=op.f("fk_transactions_tenant_order_id_orders")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_transactions")),
    )
    op.create_index(
        op.f("ix_transactions_tenant_card_id_at"), "transactions", ["tenant", "card_id", "at"], unique=False
    )
    op.create_index(op.f("ix_transactions_tenant_order_id"), "transactions", ["tenant", "order_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_transactions_tenant_order_id"), "transactions")
    op.drop_index(op.f("ix_transactions_tenant_card_id_at"), "transactions")

    op.drop_table("transactions")
    op.drop_index(op.f("ix_tickets_tenant_status_created"), "tickets")

    op.drop_table("tickets")
    op.drop_table("sales")
    op.drop_index(op.f("ix_order_lines_tenant_sku"), "order_lines")

    op.drop_table("order_lines")
    op.drop_index(op.f("ix_products_tenant_family"), "products")

    op.drop_table("products")
    op.drop_index(op.f("ix_orders_tenant_customer_id_placed"), "orders")

    op.drop_table("orders")
    op.drop_table("suppliers")
    op.drop_index(op.f("ix_customers_tenant_email"), "customers")

    op.drop_table("customers")
