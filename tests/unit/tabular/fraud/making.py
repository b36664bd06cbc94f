"""Card transactions for tests: cards with habits, a terminal that is tampered with, some cards that are stolen."""

from __future__ import annotations

import numpy as np

from tabular.fraud.events import DAY, Transaction

BEGIN = 1_700_000_000_000


def made(count: int = 4_000, days: int = 120, seed: int = 5) -> list[tuple[Transaction, bool]]:
    """Transactions in the order of time with whether they were fraud; about one in thirty is."""
    random = np.random.default_rng(seed)
    at = np.sort(random.integers(0, days * DAY, count))
    card, terminal = random.integers(0, 120, count), random.integers(0, 30, count)
    cents = (random.lognormal(np.log(3_000), 0.4, 120)[card] * random.lognormal(0, 0.3, count)).astype(np.int64)
    day = at // DAY
    tampered = (terminal == day // 28 % 30) & (day % 28 < 24)
    stolen = (card == day // 5 % 120) & (random.random(count) < 0.6)
    cents = np.where(stolen, cents * 6, cents)
    rows = zip(at.tolist(), card.tolist(), terminal.tolist(), cents.tolist(), (tampered | stolen).tolist(), strict=True)
    return [
        (Transaction(f"T{number:06}", BEGIN + when, f"C{card}", f"P{terminal}", cents), fraud)
        for number, (when, card, terminal, cents, fraud) in enumerate(rows)
    ]
