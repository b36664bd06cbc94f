"""A small task and devices that know something about it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tabular.federated.plan import Plan
from tabular.federated.task import Category, Label, Number, Task

TASK = Task(
    numbers=(Number(column="age", low=18, high=98), Number(column="spent", low=0, high=1000, log=True)),
    categories=(Category(column="tier", values=("basic", "gold")),),
    label=Label(column="stays", value="yes"),
)


def plan(**other: Any) -> Plan:
    given = {"epsilon": 8.0, "delta": 1e-3, "rounds": 10, "population": 100, "share": 0.2, **other}
    return Plan.model_validate(given)


def people(count: int, seed: int) -> list[dict[str, str]]:
    """Rows whose label follows from the tier and from what was spent, with some noise."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        tier, age, spent = str(rng.choice(["basic", "gold", "none"])), rng.uniform(18, 98), rng.uniform(0, 1000)
        odds = 2.0 * (tier == "gold") + (spent - 500) / 250 + rng.normal(0, 0.5)
        made.append({"age": f"{age:.1f}", "spent": f"{spent:.2f}", "tier": tier, "stays": "yes" if odds > 0 else "no"})
    return made
