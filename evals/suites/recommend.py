"""What do customers buy next? Every customer's first basket after a cut, ranked over all items that were ever sold.

With `--data` (the file or folder of UCI Online Retail) on real purchases, else on the demo company's orders. The cut
lies four weeks before the log's end. The model is trained on what lies before it, its blend on earlier cuts; the test
weeks choose nothing. Items first sold after the cut stay among what was bought: no ranker can find them. No negatives
are sampled. Beside the whole basket stand its halves, what was bought again and what was new (ranked among new items
only), and customers whom nobody knew. A gain is that of the same customer: its interval is that of a paired test.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.demo.company import generate
from core.errors import MissingExtra
from core.hashing import Hashing
from core.orders import OrderStatus
from evals.scorers import ndcg, recall
from evals.suite import Options, Scorer, Suite, refuse_foreign, sample
from tabular.recommend.blend import scores
from tabular.recommend.features import Floats, Profile, features
from tabular.recommend.history import History, first_baskets, histories
from tabular.recommend.purchases import DAY, Purchase, PurchaseLog, day_of
from tabular.recommend.recommender import ranked

if TYPE_CHECKING:
    from tabular.recommend.model import Model
    from tabular.recommend.references import References

TEST_DAYS = 28
DEPTH = 20
# The hashed grams of a title, drawn together into so many numbers.
_WIDTH = 256

Lines = Sequence[tuple[Purchase, str]]
Ranker = Callable[[Profile], Floats]


@dataclass(frozen=True, slots=True)
class Case:
    """A customer, what was known of them at the cut, and what they then bought at `day`."""

    id: str
    history: History
    day: float
    bought: frozenset[str]

    @property
    def known(self) -> bool:
        """Whether the customer bought anything before."""
        return bool(self.history.baskets)

    def wanted(self, part: str) -> frozenset[str]:
        """What is to be found: `all` of the basket, what was bought `again`, or what was `new` to the customer."""
        again = self.bought & self.history.items
        return {"all": self.bought, "again": again, "new": self.bought - again}[part]


@dataclass(frozen=True, slots=True)
class Rankings:
    """By ranker, the first `DEPTH` items of all, and of those that the customer had not bought."""

    all: Mapping[str, list[str]]
    new: Mapping[str, list[str]]


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Case, Rankings]]:
    """The suite on the purchases that `options` names, or on the demo company's. Raises `MissingExtra`."""
    refuse_foreign("recommend", options)
    for package in ("scipy", *(("pandas", "pyarrow") if options.data else ())):
        if find_spec(package) is None:
            raise MissingExtra(package, "tabular")
    lines = await asyncio.to_thread(_read, options.data)
    log = PurchaseLog.of(purchase for purchase, _ in lines)
    cut = math.ceil(log.end) - TEST_DAYS
    model, references = await asyncio.to_thread(_trained, log, titles(lines, cut), cut, options.seed)
    cases = next_baskets(log, cut)
    known = log.before(cut)
    yield Suite(
        name="recommend",
        cases=sample(cases, options),
        task=partial(rankings, model, references),
        scorers=SCORERS,
        details=_details,
        facts={
            "data": options.data.name if options.data else "the demo company's orders",
            "before the cut": f"{len(known.customers):,} customers, {len(known.baskets):,} baskets",
            "items ranked": f"{len(model.items):,}",
            "cut": datetime.fromtimestamp(cut * DAY, UTC).date().isoformat(),
            "tested": f"{sum(each.known for each in cases):,} customers, and {sum(not each.known for each in cases):,} "
            "unknown ones",
        },
    )


def _read(data: Path | None) -> Lines:
    if data:
        from tabular.recommend.retail import read_retail

        return read_retail(data)
    company = generate()
    names = {product.sku: product.name for product in company.products}
    return [
        (Purchase(order.customer_id, line.sku, order.placed, order.id), names[line.sku])
        for order in company.orders
        if order.status is not OrderStatus.CANCELLED
        for line in order.lines
    ]


def titles(lines: Lines, cut: float) -> dict[str, str]:
    """The items sold before the cut, as the latest line before it calls them; lines come the earliest first."""
    found: dict[str, str] = {}
    for purchase, title in lines:
        if day_of(purchase.time) < cut and (title or purchase.item not in found):
            found[purchase.item] = title
    return found


def _trained(log: PurchaseLog, names: Mapping[str, str], cut: float, seed: int) -> tuple[Model, References]:
    from tabular.recommend.references import References
    from tabular.recommend.training import Catalogue, train

    known = log.before(cut)
    return train(known, Catalogue(names, hashed()), now=cut, seed=seed), References.of(known, cut)


def hashed() -> Callable[[Sequence[str]], Floats]:
    """Titles as hashed grams, projected at random: the embedding that needs no model."""
    hashing = Hashing()
    drawn = np.random.default_rng(0).normal(0, _WIDTH**-0.5, (hashing.buckets, _WIDTH)).astype(np.float32)

    @cache
    def vector(text: str) -> Floats:
        projected: Floats = hashing.vector(text) @ drawn
        return projected

    def embed(texts: Sequence[str]) -> Floats:
        return np.stack([vector(text) for text in texts])

    return embed


def next_baskets(log: PurchaseLog, cut: float) -> list[Case]:
    """The first basket of every customer from the cut on, beside everything that they bought before the cut."""
    past = histories(log.before(cut))
    return [
        Case(customer, past.get(customer, History()), basket.day, frozenset(basket.items))
        for customer, basket in first_baskets(log.since(cut)).items()
    ]


async def rankings(model: Model, references: References, case: Case) -> Rankings:
    """What every ranker puts first."""
    profile = Profile.of(case.history, model.places, case.day)
    found = scores(model.blend.row(profile.depth), features(model, profile))
    plain = Profile.of(case.history, {item: place for place, item in enumerate(references.items)}, case.day)
    everything = {
        "model": (found, profile, model.items),
        "popularity": (references.popular(plain), plain, references.items),
        "personal": (references.personal(plain), plain, references.items),
        "item_item": (references.item_item(plain), plain, references.items),
    }
    first, new = dict[str, list[str]](), dict[str, list[str]]()
    for name, (values, whose, items) in everything.items():
        first[name] = [items[place] for place in ranked(values, DEPTH)]
        unseen = values.copy()
        unseen[whose.own] = -np.inf
        new[name] = [items[place] for place in ranked(unseen, DEPTH)]
    return Rankings(first, new)


def judged(metric: str, ranker: str, part: str, case: Case, out: Rankings) -> float | None:
    """One metric of one ranker on a part of the basket; None for customers whom nobody knew, `cold` for those only."""
    wanted = case.wanted("all" if part == "cold" else part)
    if case.known == (part == "cold") or not wanted:
        return None
    ranking = (out.new if part == "new" else out.all)[ranker]
    return METRICS[metric](ranking, wanted)


def gain(metric: str, over: str, part: str, case: Case, out: Rankings) -> float | None:
    """How much more than another ranker the model has, for one customer."""
    ours, theirs = judged(metric, "model", part, case, out), judged(metric, over, part, case, out)
    return None if ours is None or theirs is None else ours - theirs


METRICS: Mapping[str, Callable[[list[str], frozenset[str]], float]] = {
    "ndcg_10": lambda ranking, wanted: ndcg(ranking, dict.fromkeys(wanted, 1.0), 10),
    "recall_10": lambda ranking, wanted: recall(ranking, wanted, 10),
    "recall_20": lambda ranking, wanted: recall(ranking, wanted, 20),
    "hit_10": lambda ranking, wanted: float(bool(wanted.intersection(ranking[:10]))),
}


def _part(part: str, rankers: Iterable[str]) -> list[Scorer[Case, Rankings]]:
    prefix = "" if part == "all" else f"{part}_"
    found = []
    for ranker in ("model", *rankers):
        side = prefix if ranker == "model" else f"{prefix}{ranker}_"
        found += [Scorer(f"{side}{metric}", partial(judged, metric, ranker, part)) for metric in METRICS]
    for over in rankers:
        name = f"{prefix}gain_over_{over}"
        found += [Scorer(f"{name}_{metric}", partial(gain, metric, over, part)) for metric in METRICS]
    return found


SCORERS: tuple[Scorer[Case, Rankings], ...] = (
    *_part("all", ("popularity", "item_item", "personal")),
    *_part("again", ("personal",)),
    *_part("new", ("popularity", "item_item")),
    *_part("cold", ("popularity",)),
)


def _details(case: Case, out: Rankings) -> Mapping[str, str]:
    first = {name: ", ".join(items[:10]) for name, items in out.all.items()}
    known = f"{len(case.history.baskets)} baskets, {len(case.history.items)} items"
    return {"bought": ", ".join(sorted(case.bought)), "known": known, **first}
