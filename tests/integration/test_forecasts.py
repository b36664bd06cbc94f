"""Sales in, forecasts out: trained on a small panel, registered, promoted, and what the agents' tools say with them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert

from agents.demand import METHOD
from agents.records import SaleRecord
from agents.systems.builtin.procurement import BuiltinProcurement
from agents.tools.procurement import procurement_tools
from agents.tools.tool import Caller
from app.champions import take_up
from app.demand.served import MODEL, ServedForecasts
from app.demand.training import candidate, train_demand
from core.database import Database, now
from core.errors import CorruptArtefact, InvalidInput
from core.purchasing import SalesHistory
from core.registry import Registry
from core.settings import DemandSettings, Settings
from core.types import Principal, Role
from core.versions import Kind
from tabular.demand.candidates import Candidate
from tabular.demand.storing import load
from tabular.demand.yearly import Yearly
from tests.contract.systems import store
from tests.fakes.candidates import candidate as nothing
from tests.fakes.company import FakeCompany, make_company

TENANT, OTHER = "harbor", "rival"
KETTLE, BLANKET, HOOK = "SKU-0001", "SKU-0002", "SKU-0003"
DAYS = 420
LAST = now().date() - timedelta(days=20)


@dataclass(frozen=True)
class Last:
    """The last week again."""

    def forecast(self, panel: Sequence[np.ndarray], horizon: int) -> list[np.ndarray]:
        return [np.resize(values[-7:], horizon) for values in panel]


def quick(*_: Any) -> tuple[Candidate, ...]:
    """Candidates that need no library, the same ones at each call."""
    return TABLE


TABLE = (
    Candidate("seasonal_naive", lambda _: Last(), lambda *_: 7),
    Candidate("yearly", lambda _: Yearly(), lambda *_: 28),
)


def company() -> FakeCompany:
    """Two products sold for long, one for two months."""
    random = np.random.default_rng(1)
    made = make_company()
    for sku, pace, length in ((KETTLE, 6.0, DAYS), (BLANKET, 0.4, DAYS), (HOOK, 3.0, 60)):
        units = tuple(random.poisson(pace, DAYS)[-length:].tolist())
        first = LAST - timedelta(days=length - 1)
        made.sales[sku] = SalesHistory(sku, first, units, (False,) * len(units))
    made.products[KETTLE] = replace(made.products[KETTLE], stock=0)
    return made


async def promoted(database: Database, folder: Path) -> Registry:
    """A registry with forecasts of the company's sales in force."""
    said: list[str] = []
    procurement = BuiltinProcurement(database)
    trained = await train_demand(procurement, TENANT, stale_days=14, say=said.append, offer=quick)
    assert said == [f"2 products until {LAST.isoformat()}, 91 days ahead"]
    registry = Registry.of(database, folder)
    version = await registry.register(candidate(trained, folder / "new", "wayside"), "local:ada")
    await registry.promote(MODEL, version.number, "local:ada", "because")
    return registry


async def tools(database: Database, registry: Registry, folder: Path, *, stale_days: int = 14) -> Any:
    """What calls a tool of procurement, on what the registry has in force."""
    procurement = BuiltinProcurement(database)
    settings = Settings(workspace=folder, demand=DemandSettings(stale_days=stale_days))
    served = ServedForecasts(registry, procurement, settings, tenant=TENANT)
    await served.refresh()
    known = {tool.name: tool for tool in procurement_tools(procurement, served)}

    async def call(name: str, *, tenant: str = TENANT, **arguments: Any) -> Any:
        tool: Any = known[name]
        given = tool.arguments.read(arguments)
        return await tool.read(Caller(Principal("key_staff", tenant, Role.STAFF)), given)

    return call


async def sold(database: Database, days: int) -> None:
    """So many days of sales more, six kettles each."""
    later = [LAST + timedelta(days=day) for day in range(1, days + 1)]
    rows = [{"tenant": TENANT, "sku": KETTLE, "day": day, "units": 6, "promoted": False} for day in later]
    async with database.session() as session:
        await session.execute(insert(SaleRecord), rows)


async def test_trained_promoted_and_said_by_the_tools(database: Database, tmp_path: Path) -> None:
    await store(database, TENANT, company())
    registry = await promoted(database, tmp_path)
    call = await tools(database, registry, tmp_path)
    told = await call("forecast_demand", sku=KETTLE, weeks=4)
    assert told["method"].startswith("demand 1: yearly ")
    assert (told["known_until"], told["sales_until"]) == (LAST.isoformat(),) * 2
    assert (told["total"], told["weeks_of_history"]) == (pytest.approx(168, rel=0.1), DAYS // 7)
    # As many standard deviations as pieces wanted one by one have, or somewhat more.
    assert 168**0.5 * 0.9 < told["standard_deviation"] < 3 * 168**0.5
    # What it does not know, and what is beyond it, the built-in method says.
    assert (await call("forecast_demand", sku=HOOK, weeks=4))["method"] == METHOD
    assert (await call("forecast_demand", sku=KETTLE, weeks=14))["method"] == METHOD
    advised = (await call("suggest_reorders", limit=10))["suggestions"]
    by_sku = {each["sku"]: each for each in advised}
    assert by_sku[KETTLE]["method"].startswith("demand 1: ") and by_sku[HOOK]["method"] == METHOD
    assert by_sku[KETTLE]["protection_demand"] == pytest.approx(6 * 16, rel=0.15)
    # Another company has its own sales, and nothing of this model.
    rival = company()
    rival.sales = {KETTLE: replace(rival.sales[KETTLE], units=(1,) * DAYS)}
    await store(database, OTHER, rival)
    theirs = await call("forecast_demand", tenant=OTHER, sku=KETTLE, weeks=4)
    assert (theirs["method"], theirs["total"]) == (METHOD, pytest.approx(28))


@pytest.mark.parametrize(
    ("extra", "stale_days", "served"), [(5, 14, True), (14, 14, True), (15, 14, False), (1, 0, False)]
)
async def test_sales_that_outgrow_it_put_the_built_in_method_in_its_place(
    database: Database, tmp_path: Path, extra: int, stale_days: int, served: bool
) -> None:
    await store(database, TENANT, company())
    registry = await promoted(database, tmp_path)
    await sold(database, extra)
    call = await tools(database, registry, tmp_path, stale_days=stale_days)
    told = await call("forecast_demand", sku=KETTLE, weeks=4)
    assert told["method"].startswith("demand 1: ") is served
    # Both begin after the sales that are known; only who foretold them knows less.
    assert told["sales_until"] == (LAST + timedelta(days=extra)).isoformat()
    assert told["known_until"] == (LAST.isoformat() if served else told["sales_until"])


async def test_what_training_measured_is_on_the_version(database: Database, tmp_path: Path) -> None:
    await store(database, TENANT, company())
    registry = await promoted(database, tmp_path)
    version = await registry.version(MODEL, 1)
    own, relative = (version.metrics[name] for name in ("rolling/rmsse", "rolling/rmsse-of-snaive"))
    assert relative.gates and relative.lower_is_better and not own.gates
    assert 0 < relative.interval.low <= relative.interval.value <= relative.interval.high < 2
    assert "91 days after" in version.card and "2 products" in version.card
    prepared = await asyncio.to_thread(load, await registry.files(version))
    assert (prepared.origin, prepared.names) == (LAST, (KETTLE, BLANKET))
    # The same sales again are the same version.
    again = await train_demand(BuiltinProcurement(database), TENANT, stale_days=14, say=lambda _: None, offer=quick)
    assert (await registry.register(candidate(again, tmp_path / "again", "wayside"), "local:bob")).number == 1


async def test_too_little_to_train_on_is_said(database: Database, tmp_path: Path) -> None:
    procurement = BuiltinProcurement(database)
    with pytest.raises(InvalidInput, match="no sales"):
        await train_demand(procurement, TENANT, stale_days=14, say=print, offer=quick)
    short = company()
    short.sales = {HOOK: short.sales[HOOK]}
    await store(database, TENANT, short)
    with pytest.raises(InvalidInput, match="sold for 182 days"):
        await train_demand(procurement, TENANT, stale_days=14, say=print, offer=quick)


@pytest.mark.parametrize(("kind", "wrong"), [(Kind.TABULAR, CorruptArtefact), (Kind.GGUF, InvalidInput)])
async def test_a_champion_that_cannot_be_taken_up_leaves_the_built_in_method(
    database: Database, tmp_path: Path, kind: Kind, wrong: type[Exception]
) -> None:
    await store(database, TENANT, company())
    registry = Registry.of(database, tmp_path)
    version = await registry.register(nothing(tmp_path / "new", model=MODEL, kind=kind), "local:ada")
    await registry.promote(MODEL, version.number, "local:ada", "because")
    served = ServedForecasts(registry, BuiltinProcurement(database), Settings(workspace=tmp_path), tenant=TENANT)
    with pytest.raises(wrong):
        await served.refresh()
    await take_up(served)
    assert (await served.outlooks(TENANT, {KETTLE: 7}))[KETTLE].method == METHOD
