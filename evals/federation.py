"""A federation in one process: the devices' and the server's own arithmetic, with devices that fail and that attack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tabular.federated.aggregate import checked, step
from tabular.federated.local import improve
from tabular.federated.noise import seeded_normals
from tabular.federated.plan import Plan
from tabular.federated.task import Floats, Rows


@dataclass(frozen=True, slots=True)
class Trouble:
    """The share of devices that are drawn and never answer, and of those that always send what does the most harm.

    The attacker knows the round's weights and the clip: it trains as it should, and sends a huge step the other way.
    """

    silent: float = 0.0
    poisoned: float = 0.0


@dataclass(frozen=True, slots=True)
class Course:
    """A training that was run: the model after each round, and how many updates went into each."""

    models: list[Floats]
    answered: list[int]


def simulate(devices: Sequence[Rows], plan: Plan, noise: float, seed: int, trouble: Trouble | None = None) -> Course:
    """Train for all rounds. Equal arguments give equal models: here, unlike in service, the noise is seeded."""
    trouble = trouble or Trouble()
    rng = np.random.default_rng(seed)
    normals = seeded_normals(int(rng.integers(2**63)))
    dimension = devices[0].features.shape[1]
    poisoned = rng.random(len(devices)) < trouble.poisoned
    weights = np.zeros(dimension)
    models, answered = list[Floats](), list[int]()
    for _ in range(plan.rounds):
        updates = []
        for place in np.flatnonzero(rng.random(len(devices)) < plan.share).tolist():
            if not poisoned[place] and rng.random() < trouble.silent:
                continue
            update = improve(weights, devices[place], plan, int(rng.integers(2**63)))
            updates.append(checked((-1e6 * update if poisoned[place] else update).tolist(), dimension))
        weights = weights + step(updates, plan, noise, normals, dimension)
        models.append(weights)
        answered.append(len(updates))
    return Course(models, answered)


def scattered(rows: Rows, devices: int, seed: int, *, alike: float) -> list[Rows]:
    """Deal the rows out to so many devices, which differ in size and in how often their answer is yes.

    A device's share of yes is drawn from a Dirichlet distribution around that of all rows: the smaller `alike`, the
    further apart they are (Hsu, Qi and Brown, 2019). Every row goes to one device.
    """
    rng = np.random.default_rng(seed)
    owner = np.zeros(len(rows), dtype=np.int64)
    for label in (0.0, 1.0):
        places = np.flatnonzero(rows.labels == label)
        # Independent gamma draws, normed over the devices, are one Dirichlet draw for this label.
        weights = rng.gamma(alike, size=devices)
        owner[places] = rng.choice(devices, size=len(places), p=weights / weights.sum())
    order = np.argsort(owner, kind="stable")
    cuts = np.searchsorted(owner[order], np.arange(1, devices))
    return [Rows(rows.features[part], rows.labels[part]) for part in np.split(order, cuts)]
