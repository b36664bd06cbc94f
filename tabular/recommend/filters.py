"""What may not be recommended: what is out of stock, unwanted, or bought before where that is not asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import NDArray

from tabular.recommend.features import Profile
from tabular.recommend.model import Model

Filter = Callable[[Model, Profile], NDArray[np.bool_]]
"""Which of a model's items (n,) may be recommended to this customer."""


def in_stock(available: Collection[str]) -> Filter:
    """Only these items."""

    def allowed(model: Model, profile: Profile) -> NDArray[np.bool_]:
        mask = np.zeros(len(model.items), np.bool_)
        mask[[model.places[item] for item in available if item in model.places]] = True
        return mask

    return allowed


def without(excluded: Collection[str]) -> Filter:
    """None of these items."""

    def allowed(model: Model, profile: Profile) -> NDArray[np.bool_]:
        mask = np.ones(len(model.items), np.bool_)
        mask[[model.places[item] for item in excluded if item in model.places]] = False
        return mask

    return allowed


def only_new(model: Model, profile: Profile) -> NDArray[np.bool_]:
    """Nothing that the customer has bought."""
    mask = np.ones(len(model.items), np.bool_)
    mask[profile.own] = False
    return mask


def only_again(model: Model, profile: Profile) -> NDArray[np.bool_]:
    """Nothing that the customer has not bought."""
    return ~only_new(model, profile)
