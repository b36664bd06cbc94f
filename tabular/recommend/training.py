"""Makes a model of a purchase log: relations from all of it, and the blend from what came after earlier moments.

For the blend the log is cut at a few earlier days. What was known before each is made into a model of its own, and
what every customer bought first after it, within the next weeks, is what the features should have foretold. Nothing
that is learned from ever lies before a purchase that it speaks of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import InvalidInput
from tabular.recommend.blend import DEPTHS, Blend, prior
from tabular.recommend.factors import fit_factors
from tabular.recommend.features import Profile, features
from tabular.recommend.history import History, first_baskets, histories
from tabular.recommend.learning import Example, learn
from tabular.recommend.model import Model
from tabular.recommend.popularity import popularity
from tabular.recommend.purchases import PurchaseLog
from tabular.recommend.relations import by_customer, cosine, ease, transitions
from tabular.recommend.texts import Embed, embedded, lenders

HORIZON = 28.0
"""Days after a cut within which a customer's first basket counts."""

CUTS = 3
"""Earlier moments that the blend learns from."""

LEAST = 60.0
"""Days of log that a cut must have before it."""

MOST = 1_500
"""Customers that the blend learns from at most: they are drawn, never the items."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is for sale: item → its title, which may be empty, and how titles become vectors. May know unsold items.

    `embedding` names what `embed` is: wishes have to be embedded by the same.
    """

    titles: Mapping[str, str]
    embed: Embed | None = None
    embedding: str = ""


NOTHING = Catalogue({})


def train(log: PurchaseLog, catalogue: Catalogue = NOTHING, *, now: float | None = None, seed: int = 0) -> Model:
    """The model as of the day `now`, or else just after the log's end. Raises `InvalidInput` for an empty log.

    Equal logs, catalogues and seeds give equal models on one machine. Purchases from `now` on are not looked at.
    """
    now = np.nextafter(log.end, np.inf) if now is None else now
    known = log.before(now)
    blend = learn(examples(known, catalogue, now=now, seed=seed))
    return replace(relate(known, catalogue, now=now, seed=seed), blend=blend)


def relate(log: PurchaseLog, catalogue: Catalogue, *, now: float, seed: int = 0) -> Model:
    """The model of everything before `now`, with the prior's blend."""
    known = log.before(now)
    if not len(known):
        raise InvalidInput("no purchases to learn from", param="purchases")
    unsold = sorted(catalogue.titles.keys() - set(known.items))
    wide = replace(known, items=(*known.items, *unsold))
    bought = by_customer(wide)
    following, returns = transitions(wide)
    titles = tuple(catalogue.titles.get(item, "") for item in wide.items)
    texts = embedded(catalogue.embed, titles)
    sold = np.arange(len(wide.items)) < len(known.items)
    return Model(
        items=wide.items,
        titles=titles,
        trained=now,
        next=following,
        similar=ease(bought),
        alike=cosine(bought),
        factors=fit_factors(wide.customer, wide.item, len(wide.items), seed=seed),
        returns=returns,
        popularity=popularity(wide, now),
        texts=texts,
        cold=lenders(texts, sold),
        blend=Blend(np.tile(prior(), (len(DEPTHS), 1)).astype(np.float32)),
        embedding=catalogue.embedding,
    )


def examples(log: PurchaseLog, catalogue: Catalogue, *, now: float, seed: int = 0) -> list[Example]:
    """What the blend learns from: first baskets after each of `CUTS` moments before `now`, each with what was known."""
    found: list[Example] = []
    start = float(log.day.min()) if len(log) else now
    for back in range(1, CUTS + 1):
        cut = now - back * HORIZON
        if cut - start < LEAST:
            break
        model = relate(log, catalogue, now=cut, seed=seed)
        found.extend(_after(model, log, cut, _drawn(log, cut, MOST // CUTS, seed)))
    return found


def _drawn(log: PurchaseLog, cut: float, most: int, seed: int) -> Sequence[str]:
    """The customers who bought within the horizon, or some of them."""
    customers = log.since(cut).before(cut + HORIZON).customers
    if len(customers) <= most:
        return customers
    chosen = np.random.default_rng(seed).choice(len(customers), most, replace=False)
    return [customers[place] for place in np.sort(chosen)]


def _after(model: Model, log: PurchaseLog, cut: float, customers: Sequence[str]) -> list[Example]:
    past, future = histories(log.before(cut)), first_baskets(log.since(cut).before(cut + HORIZON))
    found = []
    for customer in customers:
        basket = future[customer]
        bought = np.array([model.places[item] for item in basket.items if item in model.places], np.intp)
        if len(bought):
            profile = Profile.of(past.get(customer, History()), model.places, basket.day)
            found.append(Example(profile.depth, features(model, profile), bought))
    return found
