"""What programs that put payments through a stream share: the payments, what the database kept, the command line."""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import orjson
from sqlalchemy import func, select

from core.database import Database
from tabular.eventlog import EventRow
from tabular.fraud.decisions import DecisionRow


def payments(count: int, seed: int, first: int = 0) -> Iterator[tuple[str, bytes]]:
    """The card and the message of payments of the last days, numbered from `first`; one of a hundred is no payment."""
    rng = random.Random(seed)
    begin = datetime.now(UTC) - timedelta(days=3)
    for number in range(first, first + count):
        card = f"C{rng.randrange(500)}"
        payment = {
            "id": f"PAY-{number}",
            "at": (begin + timedelta(seconds=2 * number)).isoformat(),
            "card": card,
            "terminal": f"T{rng.randrange(50)}",
            "amount": f"{rng.randrange(100, 90_000) / 100:.2f}",
        }
        yield card, b"{" if number % 100 == 99 else orjson.dumps(payment)


async def kept(dsn: str) -> tuple[int, int]:
    """How many decisions and events the database has."""
    database = Database(dsn)
    try:
        async with database.session() as session:
            decisions = await session.scalar(select(func.count()).select_from(DecisionRow))
            events = await session.scalar(select(func.count()).select_from(EventRow))
    finally:
        await database.close()
    return decisions or 0, events or 0


def arguments() -> argparse.Namespace:
    """How much to put through what; `consume` is a database and settings, for the process that is killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--consume", nargs=2)
    parser.add_argument("--payments", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--database", default="sqlite")
    return parser.parse_args()
