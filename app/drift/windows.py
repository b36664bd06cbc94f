"""What was decided about payments within a time, read in small pieces and put together off the event loop."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from core.database import Database
from tabular.features import Floats
from tabular.fraud.decisions import DecisionRow, Outcome
from tabular.fraud.features import FraudFeatures

MOST = 200_000
"""How many decisions are looked at; of more, every second, third and so on is."""

_PIECE = 1_000


@dataclass(frozen=True, slots=True)
class Decided:
    """Decisions in the order of time: when (ms), whose card, the features, (N, features), and what is known as fraud.

    `total` is how many there were, of which these may be a part.
    """

    at: NDArray[np.int64]
    cards: NDArray[np.str_]
    vectors: Floats
    fraud: NDArray[np.bool_]
    total: int

    def __len__(self) -> int:
        """How many are here."""
        return len(self.at)


async def decided(database: Database, tenant: str, begin: int, end: int, *, most: int = MOST) -> Decided:
    """What was decided about the tenant's payments from `begin` to before `end`, on the features of now.

    A payment that nobody reported counts as genuine, as it does in training.
    """
    where = (
        DecisionRow.tenant == tenant,
        DecisionRow.at >= begin,
        DecisionRow.at < end,
        DecisionRow.features == FraudFeatures.version,
    )
    columns = DecisionRow.at, DecisionRow.card, DecisionRow.vector, DecisionRow.outcome
    pieces: list[tuple[int, str, bytes, str | None]] = []
    async with database.session() as session:
        total = int(await session.scalar(select(func.count()).select_from(DecisionRow).where(*where)) or 0)
        step = max(math.ceil(total / most), 1)
        query = select(*columns).where(*where)
        if step > 1:
            # By place and not by number: labels and purchases have numbers too, and may have every second one.
            place = func.row_number().over(order_by=DecisionRow.at).label("place")
            within = select(*columns, place).where(*where).subquery()
            query = select(*(within.c[each.key] for each in columns)).where(within.c.place % step == 0)
            query = query.order_by(within.c.place)
        else:
            query = query.order_by(DecisionRow.at)
        query = query.execution_options(yield_per=_PIECE)
        async for piece in (await session.stream(query)).partitions():
            pieces += [(row.at, row.card, row.vector, row.outcome) for row in piece]
    return await asyncio.to_thread(_together, pieces, total)


def _together(pieces: list[tuple[int, str, bytes, str | None]], total: int) -> Decided:
    width = len(FraudFeatures.names)
    vectors = np.frombuffer(b"".join(vector for _, _, vector, _ in pieces), dtype="<f8").astype(np.float64)
    return Decided(
        np.array([at for at, *_ in pieces], dtype=np.int64),
        np.array([card for _, card, *_ in pieces], dtype=np.str_),
        vectors.reshape(len(pieces), width),
        np.array([outcome == Outcome.FRAUD.value for *_, outcome in pieces], dtype=np.bool_),
        total,
    )
