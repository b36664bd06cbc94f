"""Advice on what to buy from more suppliers than procurement gives at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agents.tools.procurement import procurement_tools
from agents.tools.tool import Caller, Reading
from core.purchasing import SalesHistory
from core.types import Principal, Role
from tests.fakes.company import make_company
from tests.fakes.forecaster import FakeForecaster
from tests.fakes.systems import FakeProcurement


async def test_no_product_is_left_out_because_of_its_supplier_s_id() -> None:
    company = make_company()
    mill, kettle, sold = company.suppliers["SUP-01"], company.products["SKU-0001"], company.sales["SKU-0001"]
    company.suppliers = {name: replace(mill, id=name) for name in (f"SUP-{number:05}" for number in range(1_002))}
    named = {"SKU-0001": "SUP-00000", "SKU-0002": "SUP-01001", "SKU-0003": "SUP-99999"}
    company.products = {sku: replace(kettle, sku=sku, supplier_id=name) for sku, name in named.items()}
    units = (3,) * 70
    company.sales = {sku: SalesHistory(sku, sold.first_day, units, (False,) * 70) for sku in named}
    companies = {"harbor": company}
    tools = procurement_tools(FakeProcurement(companies), FakeForecaster(companies))
    [tool] = [each for each in tools if each.name == "suggest_reorders"]
    assert isinstance(tool, Reading)
    told: Any = await tool.read(Caller(Principal("key_staff", "harbor", Role.STAFF)), tool.arguments.read({"limit": 5}))
    assert {each["supplier_id"] for each in told["suggestions"]} == {"SUP-00000", "SUP-01001"}
    # Nobody can say what SUP-99999 would want.
    assert told["products_without_forecast"] == 1
