"""Federations: their terms and weights, who takes part, rounds, and the draw of the open one.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federations",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("task", sa.JSON(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("noise", sa.Double(), nullable=False),
        sa.Column("evaluation", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("evaluated", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("spent", sa.Double(), nullable=False),
        sa.Column("weights", sa.LargeBinary(), nullable=False),
        sa.Column("locked", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_why", sa.String(200), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "name", name=op.f("pk_federations")),
    )
    op.create_index(op.f("ix_federations_state"), "federations", ["state"])
    op.create_table(
        "federation_devices",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("federation", sa.String(64), nullable=False),
        sa.Column("device", sa.String(128), nullable=False),
        sa.Column("enrolled_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "federation", "device", name=op.f("pk_federation_devices")),
    )
    op.create_table(
        "federation_rounds",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("federation", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epsilon", sa.Double(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("closes_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("drawn", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=True),
        sa.Column("accuracy", sa.Double(), nullable=True),
        sa.Column("weights", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "federation", "number", name=op.f("pk_federation_rounds")),
    )
    op.create_table(
        "federation_draws",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("federation", sa.String(64), nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("device", sa.String(128), nullable=False),
        sa.Column("update", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "federation", "round", "device", name=op.f("pk_federation_draws")),
    )


def downgrade() -> None:
    op.drop_table("federation_draws")
    op.drop_table("federation_rounds")
    op.drop_table("federation_devices")
    op.drop_table("federations")
