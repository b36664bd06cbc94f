from typing import Any

import pytest
from sqlalchemy import update

from core.audit import ORIGIN, Audit, AuditRow, Entry
from tests.fakes.gateway import OTHER_TENANT, TENANT, Gateway

APPROVED = Entry("key_a1", "approval.approve", "order/ORD-10421", {"amount": "60.00"})


async def test_what_was_recorded_is_listed_and_holds(served: Gateway) -> None:
    audit = Audit(served.parts.database)
    first = await audit.append(TENANT, APPROVED)
    second = await audit.append(TENANT, Entry("wayside", "effect.done", "ticket/TCK-00031"))
    listed = (await served.call("GET", "/api/audit")).json()["data"]
    assert [each["number"] for each in listed] == [1, 2]
    assert listed[0] == {
        "number": 1,
        "at": first.at.isoformat(),
        "actor": "key_a1",
        "action": "approval.approve",
        "object": "order/ORD-10421",
        "payload": {"amount": "60.00"},
        "previous": ORIGIN,
        "hash": first.hash,
    }
    one = (await served.call("GET", "/api/audit", params={"object": "ticket/TCK-00031"})).json()["data"]
    assert one == listed[1:]
    assert (await served.call("GET", "/api/audit", params={"after": 1, "limit": 5})).json()["data"] == listed[1:]
    verified = (await served.call("GET", "/api/audit/verification", params={"known": first.hash})).json()
    assert verified == {"object": "audit.verification", "entries": 2, "hash": second.hash, "broken": None}


async def test_a_broken_link_is_named(served: Gateway) -> None:
    audit = Audit(served.parts.database)
    for _ in range(3):
        await audit.append(TENANT, APPROVED)
    async with served.parts.database.session() as session:
        await session.execute(update(AuditRow).where(AuditRow.number == 2).values(content="{}"))
    found = (await served.call("GET", "/api/audit/verification")).json()
    assert (found["entries"], found["broken"]["number"]) == (1, 2)


async def test_another_tenant_s_log_does_not_exist(served: Gateway) -> None:
    audit = Audit(served.parts.database)
    theirs = await audit.append(OTHER_TENANT, APPROVED)
    assert (await served.call("GET", "/api/audit")).json()["data"] == []
    seen = (await served.call("GET", "/api/audit/verification")).json()
    assert (seen["entries"], seen["hash"]) == (0, ORIGIN)
    # Not even whether a hash occurs there can be asked.
    asked = (await served.call("GET", "/api/audit/verification", params={"known": theirs.hash})).json()
    assert asked["broken"]["number"] == 1


@pytest.mark.parametrize("path", ["/api/audit", "/api/audit/verification"])
@pytest.mark.parametrize("role", ["client", "staff", "engineer"])
async def test_only_admins_read_it(served: Gateway, path: str, role: str) -> None:
    assert (await served.call("GET", path, role=role)).status_code == 403


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/api/audit", {"limit": 0}),
        ("/api/audit", {"after": -1}),
        ("/api/audit", {"after": 2**63}),
        ("/api/audit", {"object": "a\0"}),
        ("/api/audit/verification", {"known": "abc"}),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(served: Gateway, path: str, params: dict[str, Any]) -> None:
    answer = await served.call("GET", path, params=params)
    assert (answer.status_code, answer.json()["param"]) == (400, next(iter(params)))
