"""Kinds of transactions that people think in, told from a vector of features: whose card, what terminal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tabular.features import Floats
from tabular.fraud.features import FraudFeatures

_CARD = ("new card", "seldom used", "now and then", "often used")
_TERMINAL = ("new terminal", "small terminal", "busy terminal")
_RECORD = ("no known fraud", "known frauds")


def segments(vectors: Floats) -> dict[str, NDArray[np.str_]]:
    """The groups of each row by name, each (rows,), of the features (rows, features).

    A card is new when it was not used within 45 days, a terminal when it took nothing in the 30 days up to a week ago.
    """
    column = {name: vectors[:, place] for place, name in enumerate(FraudFeatures.names)}
    uses, taken = column["card_uses_30d"], column["terminal_uses_30d"]
    new = np.isnan(column["hours_since_use"])
    card = np.where(new, 0, 1 + (uses > 4).astype(int) + (uses > 30))
    return {
        "card": np.asarray(_CARD)[card],
        "terminal": np.asarray(_TERMINAL)[(taken > 0).astype(int) + (taken > 30)],
        "terminal record": np.asarray(_RECORD)[(column["terminal_frauds_28d"] > 0).astype(int)],
    }
