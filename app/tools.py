"""Puts the agents' tools on the company's systems, under the company's policy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from agents.acting import Acting
from agents.approvals import Approvals
from agents.demand import BuiltinForecaster
from agents.policy import DEFAULT, Policy
from agents.recommending import BasketLikeness
from agents.tools.knowledge import knowledge_tools
from agents.tools.procurement import procurement_tools
from agents.tools.shelf import Shelf, Supplier
from agents.tools.shop import shop_tools
from agents.tools.support import order_tools, ticket_tools
from agents.tools.toolbox import Toolbox
from app.systems import Systems
from core.audit import Audit
from core.database import Database
from core.ledger import Ledger
from core.ports import Forecaster, PassageSearch, Recommender


@dataclass(frozen=True, slots=True)
class Tools:
    """What the agents may use, how their calls take effect, and what waits for people."""

    toolbox: Toolbox
    acting: Acting
    approvals: Approvals


def open_tools(
    database: Database,
    systems: Systems,
    search: PassageSearch,
    policy_file: Path | None = None,
    ledger: Ledger | None = None,
    suppliers: Iterable[Supplier] = (),
    recommender: Recommender | None = None,
    forecaster: Forecaster | None = None,
) -> Tools:
    """Make the tools; without a `recommender` the likeness of baskets recommends, without a `forecaster` the built-in
    one foretells.

    Raises `InvalidInput` when the policy is none, or has rules of what does not exist.
    """
    own = [
        *knowledge_tools(search),
        *order_tools(systems.orders),
        *ticket_tools(systems.help_desk),
        *procurement_tools(systems.procurement, forecaster or BuiltinForecaster(systems.procurement)),
        *shop_tools(recommender or BasketLikeness(systems.orders, systems.procurement)),
    ]
    policy = Policy.read(policy_file or DEFAULT)
    shelf = Shelf(own, suppliers)
    policy.check(own, shelf.prefixes)
    audit = Audit(database)
    approvals = Approvals(database, audit)
    acting = Acting(shelf, policy, ledger or Ledger(database), approvals, audit)
    return Tools(Toolbox(shelf, policy, acting), acting, approvals)
