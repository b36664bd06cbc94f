"""Each of the three systems in its four forms, each form with two tenants that hold the same small company."""

from __future__ import annotations

import tomllib
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import insert

from agents.records import (
    CustomerRecord,
    OrderLineRecord,
    OrderRecord,
    ProductRecord,
    SaleRecord,
    SupplierRecord,
    TicketRecord,
)
from agents.systems.builtin.help_desk import BuiltinHelpDesk
from agents.systems.builtin.orders import BuiltinOrders
from agents.systems.builtin.procurement import BuiltinProcurement
from agents.systems.remote.help_desk import RemoteHelpDesk
from agents.systems.remote.orders import RemoteOrders
from agents.systems.remote.procurement import RemoteProcurement
from agents.systems.remote.system import RemoteSystem
from core.database import Base, Database
from core.ports import HelpDesk, Orders, Procurement
from core.systems import HelpDeskSettings, OrdersSettings, ProcurementSettings, SystemsSettings
from tests.fakes.company import START, FakeCompany, make_company
from tests.fakes.foreign import SECRET, ForeignServer
from tests.fakes.systems import FakeHelpDesk, FakeOrders, FakeProcurement

FORMS = ("fake", "sqlite", "postgresql", "http")


def _name() -> str:
    return f"tenant-{uuid.uuid4().hex[:12]}"


@dataclass(frozen=True, slots=True)
class Held:
    """The systems of two tenants. Whatever is done for `tenant` must leave `other` as it was."""

    help_desk: HelpDesk
    orders: Orders
    procurement: Procurement
    tenant: str = field(default_factory=_name)
    other: str = field(default_factory=_name)


@asynccontextmanager
async def held(
    form: str,
    dsns: Mapping[str, str],
    server: ForeignServer,
    url: str,
    company: Callable[[], FakeCompany] = make_company,
) -> AsyncIterator[Held]:
    """Open the systems in this form. Every call has tenants of its own, so they need not be emptied."""
    companies: dict[str, FakeCompany] = {}
    if form == "fake":
        made = Held(FakeHelpDesk(companies), FakeOrders(companies), FakeProcurement(companies))
        companies |= {made.tenant: company(), made.other: company()}
        yield made
    elif form == "http":
        settings = foreign_settings(url)
        assert isinstance(settings.help_desk, HelpDeskSettings)
        assert isinstance(settings.orders, OrdersSettings)
        assert isinstance(settings.procurement, ProcurementSettings)
        systems = [RemoteSystem(each) for each in (settings.help_desk, settings.orders, settings.procurement)]
        made = Held(
            RemoteHelpDesk(systems[0], settings.help_desk),
            RemoteOrders(systems[1], settings.orders),
            RemoteProcurement(systems[2], settings.procurement),
        )
        server.companies |= {made.tenant: company(), made.other: company()}
        yield made
        for system in systems:
            await system.close()
    else:
        database = Database(dsns[form])
        made = Held(BuiltinHelpDesk(database), BuiltinOrders(database), BuiltinProcurement(database))
        for tenant in (made.tenant, made.other):
            await store(database, tenant, company())
        yield made
        await database.close()


def foreign_settings(url: str, **changes: Any) -> SystemsSettings:
    """The settings for the foreign server at `url`; `changes` are made to each of its systems."""
    written = Path(__file__).with_name("foreign.toml").read_text(encoding="utf-8").replace('"URL/', f'"{url}/')
    systems = tomllib.loads(written)["systems"]
    quick = {"secret": SecretStr(SECRET), "backoff": 0.01, **changes}
    return SystemsSettings.model_validate({name: {**told, **quick} for name, told in systems.items()})


async def store(database: Database, tenant: str, company: FakeCompany) -> None:
    """Write the company into a tenant's tables."""
    async with database.session() as session:
        for record, rows in _rows(company):
            table = Base.metadata.tables[record.__tablename__]
            names = [column.name for column in table.columns]
            written = [{"tenant": tenant} | {n: row[n] for n in names if n in row} for row in rows]
            if written:
                await session.execute(insert(table), written)


def _rows(company: FakeCompany) -> Iterator[tuple[type[Base], list[dict[str, Any]]]]:
    yield SupplierRecord, [asdict(supplier) for supplier in company.suppliers.values()]
    yield ProductRecord, [asdict(product) for product in company.products.values()]
    person = {"name": "Ann", "street": "Quay", "city": "Galway", "country": "IE", "joined": START.date(), "points": 0}
    yield CustomerRecord, [{"id": key, "email": f"{key}@example.com", **person} for key in company.customers]
    yield OrderRecord, [asdict(order) for order in company.orders.values()]
    yield (
        OrderLineRecord,
        [
            {"order_id": order.id, "line": number, **asdict(line)}
            for order in company.orders.values()
            for number, line in enumerate(order.lines, start=1)
        ],
    )
    yield (
        SaleRecord,
        [
            {
                "sku": one.sku,
                "day": one.first_day + timedelta(days=day),
                "units": units,
                "promoted": one.promoted[day],
            }
            for one in company.sales.values()
            for day, units in enumerate(one.units)
        ],
    )
    yield TicketRecord, [asdict(ticket) for ticket in company.tickets.values()]
