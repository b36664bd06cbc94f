"""/api/fraud/rules and /api/fraud/lists: who may change what, pages, and what is refused."""

from __future__ import annotations

import pytest

from tests.fakes.gateway import Gateway

LIST = "/api/fraud/lists/blocked-cards"


async def test_limits_are_the_settings_until_an_engineer_sets_them(served: Gateway) -> None:
    asked = await served.call("GET", "/api/fraud/rules", role="staff")
    at_first = {"object": "fraud.limits", "most_amount": None, "most_uses_an_hour": 6}
    assert asked.json() == {**at_first, "changed_by": None, "changed_at": None}
    wanted = {"most_amount": "250.5", "most_uses_an_hour": None}
    assert (await served.call("PUT", "/api/fraud/rules", role="staff", json=wanted)).status_code == 403
    made = (await served.call("PUT", "/api/fraud/rules", role="engineer", json=wanted)).json()
    assert (made["most_amount"], made["most_uses_an_hour"], made["changed_by"][:4]) == ("250.50", None, "key:")
    assert (await served.call("GET", "/api/fraud/rules", role="staff")).json() == made


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"most_amount": "1"},
        {"most_amount": "0", "most_uses_an_hour": 1},
        {"most_amount": None, "most_uses_an_hour": 0},
    ],
)
async def test_limits_that_make_no_sense_are_refused(served: Gateway, body: object) -> None:
    assert (await served.call("PUT", "/api/fraud/rules", role="engineer", json=body)).status_code == 400


async def test_a_list_is_filled_paged_and_emptied(served: Gateway) -> None:
    for name in ("C3", "C1", "C2"):
        made = await served.call("POST", LIST, role="staff", json={"name": name, "reason": f"stolen {name}"})
        assert (made.status_code, made.json()["name"]) == (201, name)
    again = await served.call("POST", LIST, role="staff", json={"name": "C1", "reason": "again"})
    assert (again.status_code, again.json()["reason"]) == (200, "stolen C1")
    page = (await served.call("GET", f"{LIST}?limit=2", role="staff")).json()
    assert ([each["name"] for each in page["data"]], page["has_more"]) == (["C1", "C2"], True)
    page = (await served.call("GET", f"{LIST}?limit=2&after=C2", role="staff")).json()
    assert ([each["name"] for each in page["data"]], page["has_more"]) == (["C3"], False)
    trusted = await served.call(
        "POST", "/api/fraud/lists/trusted-cards", role="staff", json={"name": "C1", "reason": "ours"}
    )
    assert (trusted.status_code, trusted.json()["param"]) == (409, "name")
    assert (await served.call("DELETE", f"{LIST}/C1", role="staff")).status_code == 204
    assert (await served.call("DELETE", f"{LIST}/C1", role="staff")).status_code == 404
    assert (await served.call("POST", LIST, role="client", json={"name": "C4", "reason": "x"})).status_code == 403
    assert (await served.call("GET", "/api/fraud/lists/anything", role="staff")).status_code == 400
