"""Rules of fraud that people change while the gateway runs.

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fraud_rulebooks",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("limited", sa.Boolean(), nullable=False),
        sa.Column("most_cents", sa.BigInteger(), nullable=True),
        sa.Column("most_uses_an_hour", sa.Integer(), nullable=True),
        sa.Column("limited_by", sa.String(128), nullable=True),
        sa.Column("limited_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_fraud_rulebooks")),
    )
    op.create_table(
        "fraud_listed",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("list", sa.String(32), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.String(128), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "list", "name", name=op.f("pk_fraud_listed")),
    )


def downgrade() -> None:
    op.drop_table("fraud_listed")
    op.drop_table("fraud_rulebooks")
