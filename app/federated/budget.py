"""The accountant, which takes seconds to import and may be missing: reached from here only, in a thread."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

from core.errors import MissingExtra
from tabular.federated.plan import Plan


async def noise_of(plan: Plan) -> float:
    """The noise multiplier. Raises `MissingExtra`, and `InvalidInput` for a budget that no round fits into."""
    return await asyncio.to_thread(_noise_of, plan)


async def cost_of(plan: Plan, noise: float, rounds: int) -> float | None:
    """What so many rounds cost; None when the plan has not so many, or they would be over the budget.

    Raises `MissingExtra`.
    """
    return await asyncio.to_thread(_cost_of, plan, noise, rounds)


def _noise_of(plan: Plan) -> float:
    _check()
    from tabular.federated.accounting import noise_for

    return noise_for(plan)


def _cost_of(plan: Plan, noise: float, rounds: int) -> float | None:
    _check()
    from tabular.federated.accounting import epsilon

    if rounds > plan.rounds:
        return None
    cost = epsilon(plan.share, noise, rounds, plan.delta)
    return cost if cost <= plan.epsilon else None


def _check() -> None:
    if find_spec("dp_accounting") is None:
        raise MissingExtra("dp-accounting", "tabular")
