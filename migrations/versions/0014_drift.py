"""Checks of models for drift, when the next one is due, and alerts.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_fraud_decisions_at", "fraud_decisions", ["tenant", "at"])
    op.create_table(
        "drift_watches",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("model", sa.String(63), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "model", name=op.f("pk_drift_watches")),
    )
    op.create_table(
        "drift_checks",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("model", sa.String(63), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("begin", UtcDateTime(), nullable=False),
        sa.Column("end", UtcDateTime(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("matured", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("details", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_drift_checks")),
    )
    op.create_index("ix_drift_checks_model", "drift_checks", ["tenant", "model", "id"])
    op.create_table(
        "drift_alerts",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("check_id", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_drift_alerts")),
    )
    op.create_index("ix_drift_alerts_due", "drift_alerts", ["delivered_at", "due_at"])


def downgrade() -> None:
    op.drop_table("drift_alerts")
    op.drop_table("drift_checks")
    op.drop_table("drift_watches")
    op.drop_index("ix_fraud_decisions_at", "fraud_decisions")
