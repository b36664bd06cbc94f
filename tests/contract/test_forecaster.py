"""What whoever foretells demand promises: the fake, the built-in one, and a champion served before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from agents.demand import BuiltinForecaster
from app.demand.served import MODEL, ServedForecasts
from core.database import Database, now
from core.demand import MOST_DAYS
from core.errors import InvalidInput
from core.ports import Forecaster
from core.purchasing import SalesHistory
from core.registry import Registry
from core.settings import DemandSettings, Settings
from core.versions import Candidate as Registered
from core.versions import Kind, Lineage
from tabular.demand.prepared import Prepared
from tabular.demand.storing import save
from tests.contract.systems import _name
from tests.fakes.candidates import measured
from tests.fakes.company import FakeCompany, make_company
from tests.fakes.forecaster import FakeForecaster
from tests.fakes.systems import FakeProcurement

SOLD, SHORT, GONE = "SKU-0001", "SKU-0003", "SKU-0004"
LENGTH = 140
LAST = now().date() - timedelta(days=1)


def company() -> FakeCompany:
    """One product sold two a day for twenty weeks until yesterday, one for a week, and one until a year ago."""
    made = make_company()
    rows = {SOLD: (2,) * LENGTH, SHORT: (1,) * 7}
    for sku, units in rows.items():
        first = LAST - timedelta(days=len(units) - 1)
        made.sales[sku] = SalesHistory(sku, first, units, (False,) * len(units))
    first = LAST - timedelta(days=LENGTH + 365 - 1)
    made.sales[GONE] = SalesHistory(GONE, first, (2,) * LENGTH, (False,) * LENGTH)
    return made


@dataclass(frozen=True)
class Asked:
    forecaster: Forecaster
    companies: Mapping[str, FakeCompany]
    tenant: str
    other: str


async def champion(database: Database, folder: Path, origin: date, horizon: int = 98) -> Registry:
    """A registry whose champion says three a day of the product that is sold, and knows another company's as well."""
    registry = Registry.of(database, folder)
    steps = np.ones((2, horizon))
    prepared = Prepared(origin, (SOLD, "SKU-9999"), 3 * steps, steps, np.array([140, 140]), ({"yearly": 1.0},) * 2)
    # The database is every test's, and each has a version of its own.
    lineage = Lineage("", _name(), "r", "c")
    made = Registered(MODEL, Kind.TABULAR, save(prepared, folder / "new"), lineage, {"rmsse": measured(0.5)})
    version = await registry.register(made, "local:ada")
    await registry.promote(MODEL, version.number, "local:ada", "because")
    return registry


@pytest.fixture(params=["fake", "builtin", "served", "served late"])
async def asked(request: pytest.FixtureRequest, dsns: Mapping[str, str], tmp_path: Path) -> object:
    tenant, other = _name(), _name()
    companies = {tenant: company(), other: company()}
    companies[other].sales[SOLD] = replace(companies[other].sales[SOLD], units=(9,) * LENGTH)
    procurement = FakeProcurement(companies)
    forecaster: Forecaster
    if request.param.startswith("served"):
        database = Database(dsns["sqlite"])
        origin = LAST - timedelta(days=5 if request.param == "served late" else 0)
        registry = await champion(database, tmp_path, origin)
        settings = Settings(workspace=tmp_path, demand=DemandSettings(stale_days=14))
        forecaster = ServedForecasts(registry, procurement, settings, tenant=tenant)
        await forecaster.refresh()
        yield Asked(forecaster, companies, tenant, other)
        await database.close()
    else:
        forecaster = FakeForecaster(companies) if request.param == "fake" else BuiltinForecaster(procurement)
        yield Asked(forecaster, companies, tenant, other)


async def test_it_says_as_many_days_as_were_asked_for_from_the_day_after_the_last(asked: Asked) -> None:
    for days in (1, 7, 30, 98, 300, MOST_DAYS):
        found = (await asked.forecaster.outlooks(asked.tenant, {SOLD: days}))[SOLD]
        assert (found.sku, found.begins) == (SOLD, LAST + timedelta(days=1))
        assert found.known_until <= LAST
        assert len(found.daily) >= days and len(found.dispersions) >= days
        assert all(each >= 0 for each in (*found.daily, *found.dispersions))
        assert 2 * days * 0.99 < found.over(days).mean < 3 * days * 1.01
        assert found.method and found.history == 20


async def test_what_is_not_known_for_long_enough_or_at_all_is_left_out(asked: Asked) -> None:
    found = await asked.forecaster.outlooks(asked.tenant, {SOLD: 7, SHORT: 7, "SKU-0002": 7, "SKU-9998": 7})
    assert set(found) == {SOLD}
    assert await asked.forecaster.outlooks(asked.tenant, {}) == {}


@pytest.mark.parametrize("others", [0, 40])
async def test_what_has_stopped_selling_is_not_expected_to_go_on(asked: Asked, others: int) -> None:
    wanted = {GONE: 28, **{f"SKU-9{number:03}": 7 for number in range(others)}}
    found = (await asked.forecaster.outlooks(asked.tenant, wanted))[GONE]
    assert (found.begins, found.history) == (LAST + timedelta(days=1), (LENGTH + 365) // 7)
    assert found.over(28).mean < 28


async def test_each_product_is_told_as_far_as_it_was_asked_for(asked: Asked) -> None:
    found = await asked.forecaster.outlooks(asked.tenant, {SOLD: 200, SHORT: 7})
    assert len(found[SOLD].daily) >= 200


async def test_another_tenant_has_its_own(asked: Asked) -> None:
    theirs = (await asked.forecaster.outlooks(asked.other, {SOLD: 7}))[SOLD]
    assert theirs.over(7).mean == pytest.approx(63)
    assert await asked.forecaster.outlooks("nobody", {SOLD: 7}) == {}


async def test_equal_questions_get_equal_answers(asked: Asked) -> None:
    first, second = [(await asked.forecaster.outlooks(asked.tenant, {SOLD: 30}))[SOLD] for _ in range(2)]
    assert (first.daily, first.dispersions, first.method) == (second.daily, second.dispersions, second.method)


@pytest.mark.parametrize("days", [0, -7, MOST_DAYS + 1])
async def test_a_stretch_that_is_none_is_refused(asked: Asked, days: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        await asked.forecaster.outlooks(asked.tenant, {SOLD: days})
    assert refused.value.param == "days"
