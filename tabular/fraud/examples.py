"""Transactions with their features and what became of them, and the split in time that trains and judges on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from tabular.features import Floats
from tabular.fraud.events import DAY, Transaction


@dataclass(frozen=True, slots=True)
class Examples:
    """Transactions in the order of the log: `vectors` is (N, features), the others are (N,)."""

    ids: NDArray[np.str_]
    at: NDArray[np.int64]
    cards: NDArray[np.str_]
    vectors: Floats
    fraud: NDArray[np.bool_]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.ids)

    def where(self, chosen: NDArray[np.bool_]) -> Examples:
        """Those of the examples that are chosen."""
        return Examples(self.ids[chosen], self.at[chosen], self.cards[chosen], self.vectors[chosen], self.fraud[chosen])


def examples(replayed: Iterable[tuple[Transaction, Floats]], fraud: Mapping[str, bool]) -> Examples:
    """Join what was replayed with what is known now; a transaction that nobody reported counts as genuine."""
    ids, at, cards, vectors = list[str](), list[int](), list[str](), list[Floats]()
    for transaction, vector in replayed:
        ids.append(transaction.id)
        at.append(transaction.at)
        cards.append(transaction.card)
        vectors.append(vector)
    known = np.array([fraud.get(each, False) for each in ids], dtype=np.bool_)
    rows = np.array(vectors) if vectors else np.empty((0, 0))
    return Examples(np.array(ids), np.array(at, dtype=np.int64), np.array(cards), rows, known)


@dataclass(frozen=True, slots=True)
class Split:
    """Days of training, days until what happened in them is known, days of testing, from `start` on.

    Published figures (Fraud Detection Handbook, chapter 5) are for seven of each, from 25 July 2018.
    """

    start: int
    train: int = 7
    delay: int = 7
    test: int = 7

    @property
    def end(self) -> int:
        """The first moment after the test, in milliseconds."""
        return self.start + (self.train + self.delay + self.test) * DAY


def split(rows: Examples, dates: Split) -> tuple[Examples, list[Examples]]:
    """The examples to train on, and those of each day of the test.

    Cards that are known to have been defrauded by the morning of a test's day are left out of it: they are blocked.
    Raises `InvalidInput` when there is no fraud to learn from, or a day without transactions.
    """
    day = (rows.at - dates.start) // DAY
    train = rows.where((day >= 0) & (day < dates.train))
    if not train.fraud.any():
        raise InvalidInput("there is no fraud in the days of training", param="train_start")
    known = set(train.cards[train.fraud].tolist())
    tests = []
    for number in range(dates.test):
        known |= set(rows.cards[rows.fraud & (day == dates.train + number - 1)].tolist())
        today = rows.where(day == dates.train + dates.delay + number)
        if not len(today):
            raise InvalidInput(f"day {number + 1} of the test has no transactions", param="train_start")
        tests.append(today.where(~np.isin(today.cards, list(known))))
    return train, tests
