"""Answers with a model: what to recommend to a customer, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from tabular.recommend.blend import scores, wishing
from tabular.recommend.features import Floats, Profile, features
from tabular.recommend.filters import Filter, in_stock, only_new, without
from tabular.recommend.history import History
from tabular.recommend.model import Model
from tabular.recommend.purchases import Purchase
from tabular.recommend.reasons import Reason, reason


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`score` in (0, 1): the chance that the next thing put into the basket is this, of all that may be recommended."""

    item: str
    score: float
    reason: Reason


class Recommender:
    """Recommends with a model, to customers whose histories it holds or is given.

    An answer is arithmetic on arrays: some milliseconds at most, no lock, no thread. `fold` swaps one immutable
    history for the next, so that an answer under way sees the one or the other.
    """

    def __init__(self, model: Model, histories: Mapping[str, History] | None = None) -> None:
        self._model = model
        self._histories = dict(histories or {})

    @property
    def model(self) -> Model:
        """The model that answers."""
        return self._model

    def history(self, customer: str) -> History:
        """What is known of a customer: of one who is unknown, nothing."""
        return self._histories.get(customer, History())

    def fold(self, purchase: Purchase) -> History:
        """Take a live purchase into its customer's history; the next answer knows it. Twice does no more than once."""
        changed = self.history(purchase.customer).with_purchase(purchase)
        self._histories[purchase.customer] = changed
        return changed

    def recommend(
        self,
        customer: str | History,
        limit: int = 10,
        *,
        now: float,
        excluding: Collection[str] = (),
        available: Collection[str] | None = None,
        new_only: bool = False,
        wish: Sequence[float] | Floats | None = None,
        filters: Sequence[Filter] = (),
    ) -> list[Recommendation]:
        """The best `limit` items, best first, with reasons; fewer where fewer may be recommended.

        `now` is the day of the answer (`purchases.day_of`). `available` are the items in stock, None for all;
        `new_only` leaves out what was bought before. `wish` (d,) is a text embedded as the items' titles were: what
        the customer looks for, which outweighs what they bought. Ties go by the items' order. Raises `InvalidInput`
        for a limit below 1 or a wish of another length than the model's texts.
        """
        if limit < 1:
            raise InvalidInput(f"a limit of {limit} recommends nothing", param="limit")
        history = customer if isinstance(customer, History) else self.history(customer)
        profile = Profile.of(history, self._model.places, now)
        found = features(self._model, profile, self._unit(wish))
        weights = self._model.blend.row(profile.depth)
        if wish is not None:
            weights = wishing(weights)
        chosen = [without(excluding)] if excluding else []
        chosen += [in_stock(available)] if available is not None else []
        chosen += [only_new] if new_only else []
        allowed = np.ones(len(self._model.items), np.bool_)
        for each in (*chosen, *filters):
            allowed &= each(self._model, profile)
        values = np.where(allowed, scores(weights, found), -np.inf)
        best = ranked(values, limit)
        if not len(best):
            return []
        powers = np.exp(values - values[best[0]])
        whole = float(powers.sum())
        return [
            Recommendation(
                self._model.items[place],
                float(powers[place]) / whole,
                reason(self._model, profile, found, weights, place, wished=wish is not None),
            )
            for place in best.tolist()
        ]

    def _unit(self, wish: Sequence[float] | Floats | None) -> Floats | None:
        if wish is None:
            return None
        vector = np.asarray(wish, np.float32)
        if vector.shape != self._model.texts.shape[1:]:
            wanted = self._model.texts.shape[1]
            raise InvalidInput(f"a wish of {vector.size} numbers where the texts have {wanted}", param="wish")
        length = float(np.linalg.norm(vector))
        return vector / np.float32(length) if length else vector


def ranked(values: Floats, limit: int) -> NDArray[np.intp]:
    """The places of the greatest `limit` values, greatest first, those of minus infinity left out; ties by place."""
    limit = min(limit, len(values))
    if not limit:
        return np.zeros(0, np.intp)
    edge = np.partition(values, len(values) - limit)[len(values) - limit]
    over = np.flatnonzero(values > edge)
    level = np.flatnonzero(values == edge)[: limit - len(over)]
    chosen = np.concatenate([over, level])
    order = chosen[np.lexsort((chosen, -values[chosen]))]
    possible: NDArray[np.intp] = order[values[order] > -np.inf]
    return possible
