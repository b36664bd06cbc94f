"""The plain rankers that a recommendation model is held against, each a line or two of scipy.

Popularity counts for everybody alike; personal frequency is a strong baseline wherever people buy the same things
again (M. Li et al., "A Next Basket Recommendation Reality Check", TOIS 2023); item-item is the cosine of
B. Sarwar et al. (WWW 2001), without shrinkage, on who bought what.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from tabular.recommend.features import Profile
from tabular.recommend.popularity import SPANS, popularity
from tabular.recommend.purchases import PurchaseLog
from tabular.recommend.relations import by_customer

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class References:
    """`sold` (n,): each item's share of the sales of the last weeks; `likeness` (n, n): cosines, 0 on the diagonal."""

    items: tuple[str, ...]
    sold: Floats
    likeness: csr_matrix

    @classmethod
    def of(cls, log: PurchaseLog, now: float) -> References:
        """What the log before `now` says."""
        known = log.before(now)
        bought = by_customer(known)
        scale = diags(1 / np.sqrt(np.asarray(bought.sum(axis=0)).ravel()))
        likeness = (scale @ (bought.T @ bought) @ scale).tocsr()
        likeness.setdiag(0)
        # Sales of the last month foretell the next better than those of all time do: the stronger reference.
        recent = popularity(known, now)[SPANS.index(30.0)]
        return cls(known.items, np.exp(recent), likeness.astype(np.float32))

    def popular(self, profile: Profile) -> Floats:
        """What sells, whoever asks."""
        return self.sold

    def personal(self, profile: Profile) -> Floats:
        """How many of the customer's baskets had it; then what sells."""
        scores = self.sold.copy()
        scores[profile.own] += profile.times
        return scores

    def item_item(self, profile: Profile) -> Floats:
        """The cosines with everything that the customer bought, summed; then what sells."""
        row = csr_matrix(
            (np.ones(len(profile.own), np.float32), (np.zeros(len(profile.own), np.intp), profile.own)),
            shape=(1, len(self.items)),
        )
        # Nothing sells so well that it would outweigh a cosine worth the name.
        scores: Floats = (row @ self.likeness).toarray().ravel() + np.float32(1e-6) * self.sold
        return scores
