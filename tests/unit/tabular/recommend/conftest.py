"""A small shop with habits, so that what a model learned of them can be seen.

Everybody buys one of two kinds of goods. Who buys `a0` has `a1` in the next basket; `a9` and `b9` are bought again
and again; one `rare` item was bought once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tabular.recommend.history import histories
from tabular.recommend.model import Model
from tabular.recommend.purchases import Purchase, PurchaseLog
from tabular.recommend.recommender import Recommender
from tabular.recommend.training import Catalogue, train

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
CUSTOMERS = 60
BASKETS = 8
EVERY = 18

WORDS = ("red", "blue", "tent", "lamp", "a", "b")


def bought(customer: str, item: str, day: float, basket: str | None = None) -> Purchase:
    """A purchase some days after the shop opened; a day's purchases are one basket unless said."""
    return Purchase(customer, item, BEGUN + timedelta(days=day), basket or f"{customer}-{day:g}")


def embed(texts: Sequence[str]) -> np.ndarray:
    """How often each of a few words stands in a text."""
    return np.array([[text.split().count(word) for word in WORDS] for text in texts], np.float32)


def shop() -> list[Purchase]:
    random = np.random.default_rng(5)
    lines = [bought("c0", "rare", 3)]
    for number in range(CUSTOMERS):
        kind = "ab"[number % 2]
        for visit in range(BASKETS):
            day = visit * EVERY + number % EVERY
            items = {f"{kind}{each}" for each in random.choice(np.arange(2, 9), 2, replace=False)} | {f"{kind}9"}
            if visit % 2 == number % 4 // 2:
                items.add(f"{kind}0")
            elif visit:
                items.add(f"{kind}1")
            lines += [bought(f"c{number}", item, day) for item in sorted(items)]
    return lines


TITLES = {
    **{f"a{each}": "red tent a" for each in range(10)},
    **{f"b{each}": "blue lamp b" for each in range(10)},
    "rare": "",
    "new-a": "red tent",
    "new-b": "blue lamp",
}


@pytest.fixture(scope="session")
def log() -> PurchaseLog:
    return PurchaseLog.of(shop())


@pytest.fixture(scope="session")
def model(log: PurchaseLog) -> Model:
    return train(log, Catalogue(TITLES, embed))


@pytest.fixture
def recommender(model: Model, log: PurchaseLog) -> Recommender:
    return Recommender(model, histories(log))
