"""Trials of models of fraud: what the side that did not decide said of a transaction. And what waits to be looked at.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_TABLE, _INDEX, _QUEUE = "fraud_decisions", "ix_fraud_decisions_trial", "ix_fraud_decisions_queue"


def upgrade() -> None:
    op.add_column(_TABLE, sa.Column("other_band", sa.String(16), nullable=True))
    op.add_column(_TABLE, sa.Column("other_probability", sa.Double(), nullable=True))
    op.add_column(_TABLE, sa.Column("other_model", sa.String(64), nullable=True))
    tried = sa.text("other_band IS NOT NULL")
    op.create_index(_INDEX, _TABLE, ["decided_at"], sqlite_where=tried, postgresql_where=tried)
    waiting = sa.text("outcome IS NULL AND band <> 'allow'")
    op.create_index(_QUEUE, _TABLE, ["tenant", "band", "number"], sqlite_where=waiting, postgresql_where=waiting)


def downgrade() -> None:
    op.drop_index(_QUEUE, _TABLE)
    op.drop_index(_INDEX, _TABLE)
    for name in ("other_model", "other_probability", "other_band"):
        op.drop_column(_TABLE, name)
