"""Everything that acting takes, on the fake company's systems and a real database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from agents.acting import Acting, Call, Outcome
from agents.approvals import Approvals
from agents.tools.shelf import Supplier
from agents.tools.tool import Caller, Subject
from agents.tools.toolbox import Toolbox
from app.systems import Systems
from app.tools import Tools, open_tools
from core.audit import Audit
from core.database import Database
from core.ledger import LEASE, Ledger
from core.ports import Orders
from core.types import Principal, Role
from tests.fakes.company import CUSTOMERS, FakeCompany, make_company
from tests.fakes.holdings import OneSearch
from tests.fakes.systems import FakeHelpDesk, FakeOrders, FakeProcurement

TENANT = "harbor"
OTHER = "rival"
CLIENT = Principal("key_client", TENANT, Role.CLIENT, CUSTOMERS[0])
NEIGHBOUR = Principal("key_neighbour", TENANT, Role.CLIENT, CUSTOMERS[1])
VISITOR = Principal("key_visitor", TENANT, Role.CLIENT)
STAFF = Principal("key_staff", TENANT, Role.STAFF)
COLLEAGUE = Principal("key_colleague", TENANT, Role.STAFF)
ENGINEER = Principal("key_engineer", TENANT, Role.ENGINEER)
ADMIN = Principal("key_admin", TENANT, Role.ADMIN)
STRANGER = Principal("key_stranger", OTHER, Role.ADMIN)


@dataclass
class Office:
    """Two tenants' companies and the parts of acting. `call` performs a call at a place of its own."""

    database: Database
    policy: Path | None = None
    companies: dict[str, FakeCompany] = field(default_factory=dict)
    suppliers: Sequence[Supplier] = ()

    def __post_init__(self) -> None:
        self.companies |= {TENANT: make_company(), OTHER: make_company()}
        self.systems = Systems(
            FakeHelpDesk(self.companies), FakeOrders(self.companies), FakeProcurement(self.companies)
        )
        self.audit = Audit(self.database)
        self.assemble(self.systems.orders)
        self._steps = count(1)

    def assemble(self, orders: Orders, lease: timedelta = LEASE) -> None:
        """Put the parts together around these orders."""
        systems = Systems(self.systems.help_desk, orders, self.systems.procurement)
        ledger = Ledger(self.database, lease=lease, settle=timedelta(seconds=0.1))
        self.parts: Tools = open_tools(self.database, systems, OneSearch(), self.policy, ledger, self.suppliers)

    @property
    def acting(self) -> Acting:
        return self.parts.acting

    @property
    def approvals(self) -> Approvals:
        return self.parts.approvals

    @property
    def toolbox(self) -> Toolbox:
        return self.parts.toolbox

    @property
    def company(self) -> FakeCompany:
        return self.companies[TENANT]

    async def call(
        self,
        principal: Principal,
        tool: str,
        *,
        about: Subject | None = None,
        thread: str = "t1",
        step: int | None = None,
        **arguments: Any,
    ) -> Outcome:
        place = next(self._steps) if step is None else step
        return await self.acting.perform(Caller(principal, about), Call(thread, place, 0, tool, arguments))

    async def audited(self, tenant: str = TENANT) -> list[tuple[str, str, str]]:
        """Actor, action and object of every entry."""
        entries = [each.entry for each in await self.audit.entries(tenant)]
        return [(entry.actor, entry.action, entry.object) for entry in entries]
