"""Puts the agents' tools on the company's systems, under the company's policy."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from agents.acting import Acting
from agents.approvals import Approvals
from agents.policy import DEFAULT, Policy
from agents.tools.knowledge import knowledge_tools
from agents.tools.procurement import procurement_tools
from agents.tools.shop import shop_tools
from agents.tools.support import order_tools, ticket_tools
from agents.tools.toolbox import Toolbox
from app import logs
from app.systems import Systems
from core.audit import Audit
from core.database import Database, now
from core.ledger import Ledger
from core.ports import PassageSearch

# Whoever decides performs the call at once; what is older has lost whoever that was.
_ABANDONED = timedelta(seconds=30)
_PERIOD = 15.0


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
) -> Tools:
    """Make the tools. Raises `InvalidInput` when the policy is none, or has rules of what does not exist."""
    tools = [
        *knowledge_tools(search),
        *order_tools(systems.orders),
        *ticket_tools(systems.help_desk),
        *procurement_tools(systems.procurement),
        *shop_tools(systems.orders, systems.procurement),
    ]
    policy = Policy.read(policy_file or DEFAULT)
    policy.check(tools)
    audit = Audit(database)
    approvals = Approvals(database, audit)
    acting = Acting(tools, policy, ledger or Ledger(database), approvals, audit)
    return Tools(Toolbox(tools, policy, acting), acting, approvals)


async def keep_finishing(acting: Acting) -> None:
    """Go on, for ever, with approved calls that lost the process which was to perform them."""
    while True:
        try:
            for approval, problem in await acting.finish(now() - _ABANDONED):
                fields = {"tenant": approval.tenant, "approval": approval.id, "tool": approval.tool}
                logs.logger.warning("approved call not done", **fields, code=problem.code)
        except (DBAPIError, OSError) as problem:
            logs.logger.warning("approved calls not read", **logs.describe(problem))
        await asyncio.sleep(_PERIOD)
