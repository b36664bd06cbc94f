"""Why an item is recommended, in words: from the component that lifts it most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tabular.recommend.blend import Floats, parts
from tabular.recommend.features import Features, Profile
from tabular.recommend.model import Model

NAMED = 2
"""Own items that a reason names at most."""


@dataclass(frozen=True, slots=True)
class Reason:
    """`component` is one of `features.COMPONENTS`; `because` are own items that led there; `words` are for people."""

    component: str
    because: tuple[str, ...]
    words: str


WISHED = "It fits what you are looking for."


def reason(
    model: Model, profile: Profile, found: Features, weights: Floats, item: int, *, wished: bool = False
) -> Reason:
    """The reason for one item, given by its place in the model. `wished` says that texts were compared with a wish."""
    lifts = parts(weights, found, item)
    if item not in profile.own:
        del lifts["repeat"]
    component = max(lifts, key=lambda name: (lifts[name], name))
    if component == "text" and wished:
        return Reason(component, (), WISHED)
    causes = _causes(model, profile, component, item)
    because = tuple(model.items[each] for each in causes)
    return Reason(component, because, _words(model, profile, component, causes, item))


def _words(model: Model, profile: Profile, component: str, causes: list[int], item: int) -> str:
    named = " and ".join(model.title(each) for each in causes)
    if component == "repeat":
        return _again(profile, item)
    if component == "popular":
        return "Many customers buy this at the moment."
    if component == "sequence" and causes:
        return f"Often bought next after {named}."
    if component == "similar" and causes:
        return f"Customers who bought {named} buy this as well."
    if component == "text":
        return f"It is like {named or 'what you buy'}."
    return "Customers with a taste like yours buy this."


def _again(profile: Profile, item: int) -> str:
    at = int(np.flatnonzero(profile.own == item)[0])
    times, days = int(profile.times[at]), int(profile.gap[at])
    often = {1: "once", 2: "twice"}.get(times, f"{times} times")
    when = {0: "today", 1: "yesterday"}.get(days, f"{days} days ago")
    return f"You bought this {often}, last {when}."


def _causes(model: Model, profile: Profile, component: str, item: int) -> list[int]:
    """The own items that speak loudest for `item`, itself aside."""
    starts, recent = profile.starts()
    if not len(starts):
        return []
    if component == "sequence":
        loud = model.next.towards(item, starts, recent)
    elif component == "similar":
        level = np.ones(len(starts), np.float32)
        loud = model.similar.towards(item, starts, level)
        if not loud.any():
            loud = model.alike.towards(item, starts, recent)
    elif component == "text" and model.texts.size:
        loud = np.where(starts == item, 0, model.texts[starts] @ model.texts[item])
    else:
        return []
    order = np.argsort(-loud, kind="stable")[:NAMED]
    return [int(starts[place]) for place in order if loud[place] > 0]
