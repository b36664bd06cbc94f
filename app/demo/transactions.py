"""Card transactions with fraud labels: online orders, purchases at the stores' tills, and three kinds of fraud.

The kinds are the ones that card issuers describe: a stolen card used in a burst, a tampered terminal whose
customers' cards are copied for weeks, and a number that is tested with small sums before a large one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from app.demo.orders import seen_at
from app.demo.sales import DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from app.demo.customers import Customer
    from app.demo.orders import Order

COUNT = 20_000
WALK_INS = 900
"""Cards of people without an account."""

TILLS = 20
TERMINALS = (*(f"TRM-{number:02}" for number in range(1, TILLS + 1)), "TRM-WEB", "TRM-APP")
ONLINE = (TILLS, TILLS + 1)

STOLEN_CARDS = 28
TESTED_CARDS = 24
TAMPERED_TILLS = 6
TAMPERED_DAYS = 28
TAMPERED_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Transaction:
    """One use of a card.

    `customer_id` is None for walk-ins, `order_id` for anything but the payment of an order. `pattern` names the
    kind of fraud and is empty where `fraud` is False.
    """

    id: str
    at: datetime
    card_id: str
    customer_id: str | None
    terminal_id: str
    order_id: str | None
    amount: Decimal
    fraud: bool
    pattern: str


@dataclass(slots=True)
class _Uses:
    """Uses of cards as columns: seconds since the first day, card and terminal by index, cents."""

    second: NDArray[np.int64]
    card: NDArray[np.int64]
    terminal: NDArray[np.int64]
    cents: NDArray[np.int64]
    pattern: NDArray[np.object_]


def draw_transactions(
    random: np.random.Generator, customers: Sequence[Customer], orders: Sequence[Order], today: date
) -> tuple[Transaction, ...]:
    """Draw `COUNT` transactions, the earliest first, over the days of the orders.

    Each order paid by card has one, each doubly charged order two.
    """
    end = seen_at(today)
    start = end - timedelta(days=DAYS)
    payments = _payments(random, orders)
    habits = random.lognormal(np.log(48), 0.55, len(customers) + WALK_INS)
    frauds = [_bursts(random, habits), _tests(random, len(habits))]
    count = COUNT - len(payments) - sum(len(fraud.second) for fraud in frauds)
    genuine = _purchases(random, habits, count)
    _tamper(random, genuine)
    uses = [*_rows(random, customers, [genuine, *frauds], start), *payments]
    uses.sort(key=lambda use: (use[0], use[1]))
    return tuple(Transaction(f"TXN-{number:06}", *use) for number, use in enumerate(uses, start=1))


_Row = tuple[datetime, str, str | None, str, str | None, Decimal, bool, str]


def _payments(random: np.random.Generator, orders: Sequence[Order]) -> list[_Row]:
    """Give each order paid by card its payment, and a second one soon after where it was charged twice."""
    rows: list[_Row] = []
    for order in orders:
        if order.paid_with != "card":
            continue
        card = _card(int(order.customer_id.removeprefix("CUS-")))
        terminal = TERMINALS[ONLINE[int(random.random() < 0.55)]]
        for again in range(2 if order.charged > order.total else 1):
            at = order.placed + timedelta(seconds=again * int(random.integers(20, 180)))
            rows.append((at, card, order.customer_id, terminal, order.id, order.total, False, ""))
    return rows


def _purchases(random: np.random.Generator, habits: NDArray[np.float64], count: int) -> _Uses:
    """Draw honest purchases at the tills: each card has a store, a level of spending and a keenness."""
    keenness = random.gamma(1.2, 1, len(habits))
    card = random.choice(len(habits), count, p=keenness / keenness.sum())
    store = random.choice(5, len(habits), p=(0.28, 0.26, 0.18, 0.18, 0.10))
    elsewhere = random.random(count) < 0.08
    at_store = np.where(elsewhere, random.integers(0, 5, count), store[card])
    day = random.integers(0, DAYS, count)
    hour = np.clip(random.normal(14.5, 2.6, count), 9.5, 18.9)
    return _Uses(
        second=day * 86_400 + (hour * 3600).astype(np.int64),
        card=card,
        terminal=at_store * 4 + random.integers(0, 4, count),
        cents=_cents(habits[card] * random.lognormal(0, 0.6, count)),
        pattern=np.full(count, "", dtype=object),
    )


def _tamper(random: np.random.Generator, uses: _Uses) -> None:
    """Mark most uses of some tills, during four weeks each, as made with copied cards, and raise their sums."""
    for till in random.choice(TILLS, TAMPERED_TILLS, replace=False):
        begin = int(random.integers(0, DAYS - TAMPERED_DAYS)) * 86_400
        hit = (uses.terminal == till) & (uses.second >= begin)
        hit &= uses.second < begin + TAMPERED_DAYS * 86_400
        hit &= random.random(len(hit)) < TAMPERED_SHARE
        uses.pattern[hit] = "compromised_terminal"
        uses.cents[hit] = (uses.cents[hit] * random.uniform(1.0, 1.8, int(hit.sum()))).astype(np.int64)


def _bursts(random: np.random.Generator, habits: NDArray[np.float64]) -> _Uses:
    """Let stolen cards be used several times within hours, mostly online and for more than their owner spends."""
    cards = random.choice(len(habits), STOLEN_CARDS, replace=False)
    card = np.repeat(cards, random.integers(4, 11, STOLEN_CARDS))
    begin = _nights(random, len(habits))[card]
    online = random.random(len(card)) < 0.85
    return _Uses(
        second=begin + random.integers(0, 4 * 3600, len(card)),
        card=card,
        terminal=np.where(online, TILLS + random.integers(0, 2, len(card)), random.integers(0, TILLS, len(card))),
        cents=_cents(habits[card] * random.uniform(2, 5, len(card))),
        pattern=np.full(len(card), "stolen_card", dtype=object),
    )


def _tests(random: np.random.Generator, cards: int) -> _Uses:
    """Let card numbers be tried with a few small sums within minutes, and then with a large one."""
    chosen = random.choice(cards, TESTED_CARDS, replace=False)
    small = random.integers(3, 7, TESTED_CARDS)
    card = np.repeat(chosen, small + 1)
    last = np.zeros(len(card), dtype=np.bool_)
    last[np.cumsum(small + 1) - 1] = True
    wait = np.where(last, random.integers(1200, 5400, len(card)), random.integers(0, 900, len(card)))
    cents = np.where(last, random.integers(30_000, 90_000, len(card)), random.integers(50, 300, len(card)))
    return _Uses(
        second=_nights(random, cards)[card] + wait,
        card=card,
        terminal=np.full(len(card), TILLS),
        cents=cents,
        pattern=np.full(len(card), "card_testing", dtype=object),
    )


def _nights(random: np.random.Generator, cards: int) -> NDArray[np.int64]:
    """Draw one evening or night for each card, in seconds since the first day."""
    day = random.integers(0, DAYS - 2, cards)
    return day * 86_400 + random.integers(19 * 3600, 27 * 3600, cards)


def _rows(
    random: np.random.Generator, customers: Sequence[Customer], parts: Sequence[_Uses], start: datetime
) -> list[_Row]:
    """Write the columns as rows; the first cards are the customers', the others walk-ins'."""
    midnight = datetime.combine(start.date(), datetime.min.time(), UTC)
    rows: list[_Row] = []
    for part in parts:
        columns = (part.second.tolist(), part.card.tolist(), part.terminal.tolist(), part.cents.tolist())
        for second, card, terminal, cents, pattern in zip(*columns, part.pattern.tolist(), strict=True):
            owner = customers[card].id if card < len(customers) else None
            at = midnight + timedelta(seconds=second)
            amount = Decimal(cents).scaleb(-2)
            rows.append((at, _card(card + 1), owner, TERMINALS[terminal], None, amount, bool(pattern), pattern))
    return rows


def _cents(amounts: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.maximum((amounts * 100).astype(np.int64), 100)


def _card(number: int) -> str:
    return f"CRD-{number:05}"
