from dataclasses import replace
from datetime import timedelta

import pytest

from agents.demand import METHOD
from core.database import now
from core.purchasing import SalesHistory
from tests.fakes.gateway import TENANT, Gateway

SKU = "SKU-0001"
LAST = now().date() - timedelta(days=1)


def _sell(office: Gateway, sku: str = SKU, *, days: int = 140) -> None:
    first = LAST - timedelta(days=days - 1)
    office.parts.companies[TENANT].sales[sku] = SalesHistory(sku, first, (2, 0) * (days // 2), (False,) * days)


async def test_a_forecast_says_what_sells_how_surely_and_who_says_so(office: Gateway) -> None:
    _sell(office)
    found = await office.call("GET", f"/api/forecasts/{SKU}", role="staff", params={"weeks": 3})
    assert found.status_code == 200, found.text
    told = found.json()
    assert (told["sku"], told["method"], told["known_until"]) == (SKU, METHOD, LAST.isoformat())
    assert (told["weeks_of_history"], told["models"], len(told["weeks"])) == (20, {}, 3)
    begins = [(LAST + timedelta(days=1 + 7 * week)).isoformat() for week in range(3)]
    assert [week["begins"] for week in told["weeks"]] == begins
    for span in (*told["weeks"], told["total"]):
        assert span["mean"] == pytest.approx(span["days"], rel=0.1)
        assert 0 <= span["p10"] <= span["p50"] <= span["p90"]
    assert told["total"]["days"] == 21


async def test_reorders_are_the_tool_s(office: Gateway) -> None:
    _sell(office)
    products = office.parts.companies[TENANT].products
    products[SKU] = replace(products[SKU], stock=0)
    found = await office.call("GET", "/api/reorders", role="staff", params={"limit": 1})
    body = {"arguments": {"limit": 1}}
    tool = await office.call("POST", "/api/tools/suggest_reorders", role="staff", json=body)
    assert found.json() == {"object": "reorders", **tool.json()["result"]}
    [advice] = found.json()["suggestions"]
    assert (advice["sku"], advice["method"], advice["unchanged"]["position"]) == (SKU, METHOD, 0)
    assert advice["unchanged"]["short_share"] == 1
    assert advice["ordered"]["position"] == advice["quantity"] > 0


async def test_what_is_not_there_or_not_known_is_said(office: Gateway) -> None:
    missing = await office.call("GET", "/api/forecasts/SKU-9999", role="staff")
    assert (missing.status_code, missing.json()["param"]) == (404, "sku")
    _sell(office, days=20)
    short = await office.call("GET", f"/api/forecasts/{SKU}", role="staff")
    assert (short.status_code, short.json()["code"]) == (400, "no_history")


@pytest.mark.parametrize(
    "path", [f"/api/forecasts/{SKU}?weeks=0", f"/api/forecasts/{SKU}?weeks=53", "/api/reorders?limit=0"]
)
async def test_bounds_are_kept(office: Gateway, path: str) -> None:
    assert (await office.call("GET", path, role="staff")).status_code in (400, 422)


async def test_it_is_for_staff_of_the_company(office: Gateway) -> None:
    _sell(office)
    for path in (f"/api/forecasts/{SKU}", "/api/reorders"):
        for role in ("client", "customer"):
            assert (await office.call("GET", path, role=role)).status_code == 403
    assert (await office.call("GET", f"/api/forecasts/{SKU}", role="stranger")).status_code in (400, 404)
