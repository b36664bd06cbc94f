from dataclasses import replace

import pytest

from core.tickets import TicketStatus
from tests.fakes.gateway import TENANT, Gateway

MINE = "TCK-00029"


def path(ticket: str = MINE) -> str:
    return f"/api/tickets/{ticket}/suggestions"


async def test_suggestions_have_the_shape_that_the_console_reads(office: Gateway) -> None:
    tickets = office.parts.companies[TENANT].tickets
    tickets[MINE] = replace(tickets[MINE], status=TicketStatus.OPEN, subject="A tent", message="May I return a tent?")
    answer = await office.call("GET", path(), role="staff")
    assert answer.status_code == 200
    found = answer.json()
    assert list(found) == [
        "object", "ticket_id", "category", "priority", "sentiment", "team", "duplicates", "reply", "next_action",
    ]  # fmt: skip
    assert (found["object"], found["ticket_id"], found["team"]) == ("suggestions", MINE, "billing")
    assert found["category"] == {"label": "billing", "probability": 0.9, "sure": True}
    assert (found["duplicates"], found["next_action"], found["reply"]["declined"]) == ([], None, False)
    [citation] = found["reply"]["citations"]
    assert (citation["marker"], citation["verdict"], citation["document_id"]) == (1, "verbatim", "returns")
    assert "You have 30 days to return a tent. [1]" in found["reply"]["text"]


async def test_looking_changes_nothing(office: Gateway) -> None:
    before = dict(office.parts.companies[TENANT].tickets)
    for ticket in before:
        assert (await office.call("GET", path(ticket), role="staff")).status_code == 200
    assert office.parts.companies[TENANT].tickets == before
    assert (await office.call("GET", "/api/approvals", role="staff")).json()["data"] == []


@pytest.mark.parametrize(
    ("role", "status"), [("client", 403), ("customer", 403), ("staff", 200), ("engineer", 200), ("admin", 200)]
)
async def test_who_may_look(office: Gateway, role: str, status: int) -> None:
    assert (await office.call("GET", path(), role=role)).status_code == status


async def test_another_tenant_s_ticket_does_not_exist(office: Gateway) -> None:
    office.parts.companies["rival"].tickets.clear()
    for ticket in (MINE, "TCK-99999"):
        refused = await office.call("GET", path(ticket), role="stranger")
        assert (refused.status_code, refused.json()["param"]) == (404, "ticket_id")
