"""A trained recommendation model: everything that an answer needs but the customer's history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tabular.recommend.blend import Blend
from tabular.recommend.factors import Factors
from tabular.recommend.neighbours import Neighbours
from tabular.recommend.texts import Cold

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What was learned of n items up to the day `trained`. Items have `titles`, for people; a title may be empty.

    `next`, `similar` and `alike` point from item to item: what follows, what tells of what (EASE), what the same
    customers buy. `returns` (n,) is the chance of an item being bought again, `popularity` (spans, n) logarithms of
    shares, `texts` (n, d) unit vectors, d = 0 without any; `embedding` names the model that made them.
    """

    items: tuple[str, ...]
    titles: tuple[str, ...]
    trained: float
    next: Neighbours
    similar: Neighbours
    alike: Neighbours
    factors: Factors
    returns: Floats
    popularity: Floats
    texts: Floats
    cold: Cold
    blend: Blend
    embedding: str = ""
    places: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        """Number the items, for look-up by name."""
        object.__setattr__(self, "places", {item: place for place, item in enumerate(self.items)})

    def title(self, place: int) -> str:
        """What people call an item: its title, or else its id."""
        return self.titles[place] or self.items[place]
