"""A process that consents to a refund and dies: `python -m tests.integration.deciding DSN APPROVAL MOMENT`.

MOMENT is `before` the order system is asked, `after` it has done it, or `never`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta

from agents.decisions import Decision, DecisionKind
from agents.systems.builtin.orders import BuiltinOrders
from core.database import Database
from core.orders import Order, OrderAction
from tests.fakes.acting import STAFF, Office

LEASE = timedelta(seconds=1)


class DeadlyOrders(BuiltinOrders):
    """Kills its own process at the moment."""

    def __init__(self, database: Database, moment: str) -> None:
        super().__init__(database)
        self._moment = moment

    async def act(self, tenant: str, key: str, action: OrderAction) -> Order:
        if self._moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        order = await super().act(tenant, key, action)
        if self._moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return order


async def main(dsn: str, approval: str, moment: str) -> None:
    database = Database(dsn)
    office = Office(database)
    office.assemble(DeadlyOrders(database, moment), LEASE)
    await office.acting.decide(STAFF, approval, Decision(DecisionKind.APPROVE))
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
