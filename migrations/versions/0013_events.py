"""The event log, and what was decided about payments.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_counters",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_event_counters")),
    )
    op.create_table(
        "events",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("known_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "number", name=op.f("pk_events")),
        sa.UniqueConstraint("tenant", "kind", "id", name=op.f("uq_events_tenant_kind_id")),
    )
    op.create_index("ix_events_known_at", "events", ["tenant", "known_at"])
    op.create_table(
        "fraud_decisions",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("transaction", sa.String(128), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("card", sa.String(128), nullable=False),
        sa.Column("terminal", sa.String(128), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("band", sa.String(16), nullable=False),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("features", sa.String(32), nullable=False),
        sa.Column("model", sa.String(64), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=True),
        sa.Column("outcome_by", sa.String(128), nullable=True),
        sa.Column("outcome_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "transaction", name=op.f("pk_fraud_decisions")),
    )
    op.create_index("ix_fraud_decisions_band", "fraud_decisions", ["tenant", "band", "number"])


def downgrade() -> None:
    op.drop_table("fraud_decisions")
    op.drop_table("events")
    op.drop_table("event_counters")
