"""How much each item sells: lately, this season and ever. What rises has more of the first than of the last."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tabular.recommend.purchases import PurchaseLog

SPANS = (7.0, 30.0, np.inf)
"""Days after which a sale counts for 1/e."""

SMOOTHING = 0.05
"""Sales that every item is taken to have had: one that sold nothing is rare, not impossible."""


def popularity(log: PurchaseLog, now: float) -> NDArray[np.float32]:
    """The logarithm of each item's share of the sales before `now`, (len(SPANS), items)."""
    rows = []
    for span in SPANS:
        sold = np.bincount(log.item, np.exp((log.day - now) / span), minlength=len(log.items)) + SMOOTHING
        rows.append(np.log(sold / sold.sum()))
    return np.array(rows, np.float32)
