"""One recommendation with its reasons: milliseconds, against a sparse row times an item-item matrix in scipy.

The log is drawn from a seed, of the size of half a year of UCI Online Retail: 3,000 items, 3,000 customers, baskets of
some 20 items. A round is one answer for each of some customers, whose histories have up to 100 baskets. On one thread,
in time of the processor, which other load on the machine stretches less than the clock's.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Sequence

import numpy as np

from evals.bench.figure import Figure, Skipped
from tabular.recommend.features import Profile
from tabular.recommend.history import History, histories
from tabular.recommend.purchases import PurchaseLog
from tabular.recommend.recommender import Recommender

ITEMS = 3_000
CUSTOMERS = 3_000
DAYS = 200
ASKED = 200
ROUNDS = 5
LIMIT = 10
MOST_MS = 5.0


def measure() -> list[Figure]:
    """Needs scipy, and threadpoolctl to hold it to one thread."""
    for package in ("scipy", "threadpoolctl"):
        if importlib.util.find_spec(package) is None:
            raise Skipped(f"{package} is not installed: pip install -c constraints.txt -e '.[tabular]'")
    from threadpoolctl import threadpool_limits

    from tabular.recommend.references import References
    from tabular.recommend.training import NOTHING, relate

    log = drawn(np.random.default_rng(0))
    with threadpool_limits(1):
        # The blend's weights change no duration: they are left as they are without evidence.
        model = relate(log, NOTHING, now=DAYS)
        references = References.of(log, DAYS)
        recommender = Recommender(model)
        asked = _asked(log)
        profiles = [Profile.of(history, model.places, DAYS) for history in asked]

        def ours(place: int) -> object:
            return recommender.recommend(asked[place], LIMIT, now=DAYS)

        def plain(place: int) -> object:
            return np.argpartition(-references.item_item(profiles[place]), LIMIT)[:LIMIT]

        # The first round fills caches.
        rounds = [(_milliseconds(ours), _milliseconds(plain)) for _ in range(ROUNDS + 1)][1:]
    against = "sparse row times item-item matrix, argpartition"
    (middle, plain_middle), (tail, plain_tail) = (
        [[float(np.percentile(each[side], percent)) for each in rounds] for side in (0, 1)] for percent in (50, 99)
    )
    met = sorted(tail)[ROUNDS // 2] <= MOST_MS
    return [
        Figure("recommendation, p50", "ms", middle, plain_middle, against),
        Figure("recommendation, p99", "ms", tail, plain_tail, against, f"≤ {MOST_MS:g} ms", met),
    ]


def drawn(random: np.random.Generator) -> PurchaseLog:
    """A log of customers of a few and of many baskets, who buy of a few popular and many rare items."""
    counts = np.clip(random.geometric(0.33, CUSTOMERS), 1, 100)
    counts[:20] = random.integers(40, 100, 20)
    owner = np.repeat(np.arange(CUSTOMERS), counts)
    day = random.uniform(0, DAYS, len(owner))
    order = np.lexsort((day, owner))
    owner, day = owner[order], day[order]
    sizes = np.clip(random.geometric(0.05, len(owner)), 1, 150)
    shares = 1 / (np.arange(ITEMS) + 30)
    chosen = random.choice(ITEMS, int(sizes.sum()), p=shares / shares.sum())
    lines = np.unique(np.stack([np.repeat(np.arange(len(owner)), sizes), chosen], axis=1), axis=0)
    basket, item = lines.T.astype(np.int32)
    return PurchaseLog(
        tuple(f"c{each:05d}" for each in range(CUSTOMERS)),
        tuple(f"b{each:06d}" for each in range(len(owner))),
        tuple(f"i{each:05d}" for each in range(ITEMS)),
        owner[basket].astype(np.int32),
        basket,
        item,
        day[basket],
    )


def _asked(log: PurchaseLog) -> Sequence[History]:
    """Some customers, those with the longest histories among them."""
    known = sorted(histories(log).values(), key=lambda each: -len(each.baskets))
    return [*known[:20], *known[20 :: len(known) // (ASKED - 20)]][:ASKED]


def _milliseconds(answer: Callable[[int], object]) -> list[float]:
    """Of each customer's answer, in the processor's time."""
    spent = []
    for place in range(ASKED):
        begun = time.process_time()
        answer(place)
        spent.append((time.process_time() - begun) * 1e3)
    return spent
