"""The server's arithmetic: what one device can do to a model is bounded here, whatever it sends.

DP-FedAvg with a fixed denominator (McMahan, Ramage, Talwar and Zhang, 2018): every update is clipped by the server,
the sum gets noise once, and is divided by the number of devices that were expected. Who does not answer makes the step
smaller; the bound on each of the others stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from core.errors import InvalidInput
from tabular.federated.noise import Normals
from tabular.federated.plan import Plan
from tabular.federated.task import Floats


def checked(given: Sequence[float], dimension: int) -> Floats:
    """The update as numbers. Raises `InvalidInput` when it is of another length or has a number that is not finite."""
    if len(given) != dimension:
        raise InvalidInput(f"an update of {len(given)} numbers, where the model has {dimension}", param="update")
    update = np.asarray(given, dtype=np.float64)
    wrong = np.flatnonzero(~np.isfinite(update))
    if wrong.size:
        raise InvalidInput(f"number {wrong[0]} of the update is not finite", param=f"update.{wrong[0]}")
    return update


def clipped(update: Floats, most: float) -> Floats:
    """The update, no longer than `most` (L2), in its direction."""
    # Divided by its largest number first: the squares of huge ones would overflow, and those of tiny ones vanish.
    largest = float(np.abs(update).max(initial=0.0))
    if largest == 0.0:
        return update.copy()
    unit = update / largest
    length = float(np.linalg.norm(unit)) * largest
    if length <= most:
        return update.copy()
    shortened: Floats = unit * (most / float(np.linalg.norm(unit)))
    # Rounding may leave it longer in the last bit.
    over = float(np.linalg.norm(shortened)) / most
    return shortened / over if over > 1 else shortened


def step(updates: Iterable[Floats], plan: Plan, noise: float, normals: Normals, dimension: int) -> Floats:
    """What a round adds to the weights, (dimension,): the only thing that ever leaves of its updates.

    `noise` is the multiplier of the clip. A round that nobody answered is noise alone: its absence would tell.
    """
    total = np.zeros(dimension)
    for update in updates:
        total += clipped(update, plan.clip)
    return (total + noise * plan.clip * normals(dimension)) / plan.expected


def latter(rounds: int) -> int:
    """How many of the first rounds' models do not count for the one that is published."""
    return rounds // 2


def settled(models: Sequence[Floats]) -> Floats:
    """The model that is published: the mean over the latter half of the rounds' models, (dimension,).

    Averaging takes away much of the noise (Polyak and Juditsky, 1992). All of them were accounted for already, so it
    costs no privacy. Raises `ValueError` without models.
    """
    if not models:
        raise ValueError("no round has ended, so there is no model")
    told: Floats = np.mean(models[latter(len(models)) :], axis=0)
    return told
