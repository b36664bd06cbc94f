"""Card transactions made up as the Fraud Detection Handbook's simulator does (Y. Le Borgne and others 2022, chapter 3),
in a small: cards with habits on a square of terminals, and its three kinds of fraud.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from tabular.fraud.events import DAY, Transaction

BEGIN = int(datetime(2025, 1, 6, tzinfo=UTC).timestamp() * 1000)
"""A Monday."""

CARDS, TERMINALS = 400, 300
LARGE = 22_000
"""Cents that no honest card pays at once."""


def payments(days: int = 136, seed: int = 0) -> list[tuple[Transaction, bool]]:
    """Transactions in the order of time, with whether each was fraud; about 800 a day, one in thirty of them fraud."""
    random = np.random.default_rng(seed)
    home, place = random.random((CARDS, 2)), random.random((TERMINALS, 2))
    distance = np.linalg.norm(home[:, None] - place[None], axis=2)
    near = np.argsort(distance, axis=1)[:, :20]
    habit, keenness = random.uniform(500, 10_000, CARDS), random.uniform(0.2, 3.8, CARDS)
    count = random.poisson(np.outer(np.ones(days), keenness))
    day, card = (np.repeat(each, count.ravel()) for each in np.unravel_index(np.arange(count.size), count.shape))
    second = np.clip(random.normal(43_200, 20_000, len(card)), 0, 86_399).astype(np.int64)
    terminal = near[card, random.integers(0, near.shape[1], len(card))]
    cents = np.abs(random.normal(habit[card], habit[card] / 2)).astype(np.int64) + 1
    fraud = cents > LARGE
    copied = {each: random.integers(0, TERMINALS, 1) for each in range(-28, days)}
    stolen = {each: random.integers(0, CARDS, 1) for each in range(-14, days)}
    for begin, terminals in copied.items():
        fraud |= np.isin(terminal, terminals) & (day >= begin) & (day < begin + 28) & (random.random(len(day)) < 0.3)
    for begin, cards in stolen.items():
        hit = np.isin(card, cards) & (day >= begin) & (day < begin + 14) & (random.random(len(day)) < 1 / 3)
        cents, fraud = np.where(hit & ~fraud, cents * 5, cents), fraud | hit
    at = BEGIN + day * DAY + second * 1000
    order = np.argsort(at, kind="stable")
    columns = (each[order].tolist() for each in (at, card, terminal, cents, fraud))
    return [
        (Transaction(f"pay-{number:06}", when, f"card-{whose}", f"terminal-{where}", amount), bad)
        for number, (when, whose, where, amount, bad) in enumerate(zip(*columns, strict=True))
    ]
