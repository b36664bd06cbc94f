from typing import Any

import pytest

from tests.fakes.gateway import Gateway

SMALL: dict[str, Any] = {"sku": "SKU-0001", "quantity": 12}
LARGE: dict[str, Any] = {"sku": "SKU-0001", "quantity": 56}


async def _buy(office: Gateway, role: str = "staff", **body: Any) -> Any:
    return await office.call("POST", "/api/purchase-orders", role=role, json={**SMALL, **body})


async def test_goods_are_bought_and_received(office: Gateway) -> None:
    bought = await _buy(office)
    assert (bought.status_code, bought.json()["total"]) == (201, "114.00")
    path = f"/api/purchase-orders/{bought.json()['id']}"
    came = await office.call("POST", f"{path}/delivery", role="staff", json={"received_quantity": 12})
    assert (came.status_code, came.json()["status"]) == (200, "received")
    assert (await office.call("GET", path, role="staff")).json() == came.json()
    still_open = await office.call("GET", "/api/purchase-orders", role="staff", params={"open_only": True})
    assert still_open.json()["data"] == []


async def test_a_large_order_needs_somebody_else(office: Gateway) -> None:
    waits = await _buy(office, **LARGE)
    assert (waits.status_code, waits.json()["reason"]) == (202, "total is 532.00, above the limit of 500.00")
    path = f"/api/approvals/{waits.json()['id']}/decision"
    assert (await office.call("POST", path, role="staff", json={"decision": "approve"})).status_code == 403
    done = await office.call("POST", path, role="colleague", json={"decision": "approve"})
    assert done.json()["result"]["id"] == "PO-00001"


@pytest.mark.parametrize("role", ["client", "customer"])
async def test_clients_have_nothing_to_buy(office: Gateway, role: str) -> None:
    await _buy(office)
    assert (await _buy(office, role)).status_code == 403
    for path in ("/api/purchase-orders", "/api/purchase-orders/PO-00001"):
        assert (await office.call("GET", path, role=role)).status_code == 403


async def test_another_tenant_s_purchase_order_does_not_exist(office: Gateway) -> None:
    await _buy(office)
    path = "/api/purchase-orders/PO-00001"
    assert (await office.call("GET", path, role="stranger")).status_code == 404
    body = {"received_quantity": 1}
    assert (await office.call("POST", f"{path}/delivery", role="stranger", json=body)).status_code == 404
    assert (await office.call("GET", "/api/purchase-orders", role="stranger")).json()["data"] == []


async def test_what_the_supplier_does_not_sell_is_refused(office: Gateway) -> None:
    refused = await _buy(office, quantity=55)
    assert (refused.status_code, refused.json()["code"]) == (400, "not_in_packs")
