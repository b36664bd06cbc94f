from typing import Any

import pytest

from tests.fakes.gateway import OTHER_TENANT, TENANT, Gateway
from tests.fakes.turns import turn

MINE, THEIRS, TICKET = "turn-1", "turn-2", "TCK-00029"
ABOUT_TURN, ABOUT_TICKET = {"kind": "turn", "id": MINE}, {"kind": "ticket", "id": TICKET}


@pytest.fixture
async def desk(office: Gateway) -> Gateway:
    """The office, where each of the two customers has asked something."""
    office.parts.turns.add(TENANT, turn(MINE))
    office.parts.turns.add(TENANT, turn(THEIRS, "customer:CUS-00002", "Where is my lamp?"))
    office.parts.turns.add(OTHER_TENANT, turn(MINE, question="Where is the rival's tent?"))
    return office


async def give(desk: Gateway, role: str, about: dict[str, str] = ABOUT_TURN, **said: Any) -> Any:
    return await desk.call("POST", "/api/feedback", role=role, json={"about": about, **said})


async def listed(desk: Gateway, role: str = "staff", **params: Any) -> list[Any]:
    answer = await desk.call("GET", "/api/feedback", role=role, params=params)
    assert answer.status_code == 200
    rows: list[Any] = answer.json()["data"]
    return rows


async def test_a_client_rates_its_own_turn_and_the_server_knows_what_it_was(desk: Gateway) -> None:
    given = await give(desk, "customer", rating="down", comment="wrong tent")
    assert given.status_code == 201
    (found,) = await listed(desk)
    assert given.json() == found
    told = ("object", "about", "kind", "rating", "correction", "comment", "author", "role")
    assert {name: found[name] for name in told} == {
        "object": "feedback",
        "about": ABOUT_TURN,
        "kind": "rating",
        "rating": "down",
        "correction": None,
        "comment": "wrong tent",
        "author": "customer:CUS-00001",
        "role": "client",
    }
    assert found["snapshot"] == {
        "text": "Where is my tent?",
        "answer": "You can return a tent within 30 days. [1]",
        "heading": {"way": "documents", "tool": "", "second": ""},
        "declined": False,
    }


async def test_a_later_word_replaces_the_earlier_one_of_the_same_kind(desk: Gateway) -> None:
    first = (await give(desk, "customer", rating="down")).json()
    again = (await give(desk, "customer", rating="up", comment="after all")).json()
    assert (again["id"], again["created_at"], again["rating"]) == (first["id"], first["created_at"], "up")
    action = (await give(desk, "staff", correction={"action": "lookup_order"})).json()
    route = (await give(desk, "staff", correction={"route": "support"})).json()
    other = (await give(desk, "colleague", correction={"route": "person"})).json()
    assert len({each["id"] for each in (first, action, route, other)}) == len(await listed(desk)) == 4
    entries = (await desk.call("GET", "/api/audit", params={"object": f"feedback/{first['id']}"})).json()["data"]
    assert [(each["action"], each["payload"]["rating"]) for each in entries] == [
        ("feedback.give", "down"),
        ("feedback.replace", "up"),
    ]


@pytest.mark.parametrize(
    ("about", "correction"),
    [
        (ABOUT_TURN, {"answer": "It is on its way."}),
        (ABOUT_TURN, {"action": "none"}),
        (ABOUT_TURN, {"route": "oos"}),
        (ABOUT_TICKET, {"category": "billing"}),
        (ABOUT_TICKET, {"priority": "urgent"}),
        (ABOUT_TICKET, {"sentiment": "negative"}),
        (ABOUT_TICKET, {"reply": "We looked into it.", "suggested": "Look into it."}),
        (ABOUT_TICKET, {"reply": "We looked into it.", "suggested": None}),
        (ABOUT_TICKET, {"next_action": {"tool": "lookup_order", "arguments": {"order_id": "ORD-10421"}}}),
        (ABOUT_TICKET, {"next_action": None}),
    ],
)
async def test_staff_correct_and_clients_do_not(
    desk: Gateway, about: dict[str, str], correction: dict[str, Any]
) -> None:
    given = await give(desk, "staff", about, correction=correction)
    assert (given.status_code, given.json()["correction"]) == (201, correction)
    assert given.json()["kind"] in correction
    assert (await give(desk, "customer", about, correction=correction)).status_code == 403


async def test_a_ticket_is_shown_as_it_is_at_the_help_desk(desk: Gateway) -> None:
    given = (await give(desk, "staff", ABOUT_TICKET, rating="up")).json()
    assert given["snapshot"] == {
        "text": "Where is it?\nMy parcel has not come.",
        "subject": "Where is it?",
        "message": "My parcel has not come.",
        "category": "delivery",
        "priority": "normal",
    }


@pytest.mark.parametrize(
    ("role", "about", "status"),
    [
        ("customer", {"kind": "turn", "id": THEIRS}, 404),
        ("client", ABOUT_TURN, 404),
        ("neighbour", ABOUT_TURN, 404),
        ("staff", {"kind": "turn", "id": THEIRS}, 201),
        ("staff", {"kind": "turn", "id": "none"}, 404),
        ("staff", {"kind": "ticket", "id": "TCK-99999"}, 404),
        ("stranger", {"kind": "turn", "id": THEIRS}, 404),
        ("customer", ABOUT_TICKET, 403),
        ("customer", {"kind": "ticket", "id": "TCK-99999"}, 403),
    ],
)
async def test_who_may_say_something_about_what(desk: Gateway, role: str, about: dict[str, str], status: int) -> None:
    assert (await give(desk, role, about, rating="up")).status_code == status


async def test_tenants_do_not_meet(desk: Gateway) -> None:
    mine = (await give(desk, "staff", rating="up")).json()
    theirs = (await give(desk, "stranger", rating="up")).json()
    assert theirs["snapshot"]["text"] == "Where is the rival's tent?"
    assert [each["id"] for each in await listed(desk, "stranger")] == [theirs["id"]]
    assert [each["id"] for each in await listed(desk)] == [mine["id"]]
    for method, path in (("DELETE", f"/api/feedback/{mine['id']}"), ("GET", f"/api/feedback?after={mine['id']}")):
        assert (await desk.call(method, path, role="stranger")).status_code == 404


@pytest.mark.parametrize(
    ("role", "status"),
    [("customer", 204), ("neighbour", 404), ("staff", 403), ("engineer", 403), ("admin", 204), ("stranger", 404)],
)
async def test_who_may_take_it_back(desk: Gateway, role: str, status: int) -> None:
    given = (await give(desk, "customer", rating="down")).json()
    taken = await desk.call("DELETE", f"/api/feedback/{given['id']}", role=role)
    assert taken.status_code == status
    assert len(await listed(desk)) == (0 if status == 204 else 1)
    again = await desk.call("DELETE", f"/api/feedback/{given['id']}", role="admin")
    assert again.status_code == (404 if status == 204 else 204)


async def test_clients_do_not_read_what_people_say(desk: Gateway) -> None:
    assert (await desk.call("GET", "/api/feedback", role="customer")).status_code == 403


async def test_filters_and_pages(desk: Gateway) -> None:
    for role, about, rating in (
        ("staff", ABOUT_TURN, "up"),
        ("customer", ABOUT_TURN, "down"),
        ("staff", ABOUT_TICKET, "down"),
    ):
        await give(desk, role, about, rating=rating)
    assert [each["rating"] for each in await listed(desk, kind="turn")] == ["down", "up"]
    assert [each["about"]["kind"] for each in await listed(desk, rating="down")] == ["ticket", "turn"]
    assert len(await listed(desk, about_id=TICKET)) == 1
    page = (await desk.call("GET", "/api/feedback", role="staff", params={"limit": 2})).json()
    assert page["has_more"]
    rest = await listed(desk, limit=2, after=page["data"][-1]["id"])
    assert [each["rating"] for each in rest] == ["up"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"rating": "up"}, "about"),
        ({"about": {"kind": "order", "id": "x"}, "rating": "up"}, "about.kind"),
        ({"about": {"kind": "turn", "id": "a b"}, "rating": "up"}, "about.id"),
        ({"about": ABOUT_TURN}, "rating"),
        ({"about": ABOUT_TURN, "comment": ""}, "rating"),
        ({"about": ABOUT_TURN, "comment": "a\0"}, "comment"),
        ({"about": ABOUT_TURN, "rating": "meh"}, "rating"),
        ({"about": ABOUT_TURN, "rating": "up", "snapshot": {}}, "snapshot"),
        ({"about": ABOUT_TURN, "correction": {}}, "correction"),
        ({"about": ABOUT_TURN, "correction": {"category": "billing"}}, "correction"),
        ({"about": ABOUT_TICKET, "correction": {"answer": "x"}}, "correction"),
        ({"about": ABOUT_TURN, "correction": {"action": "dance"}}, "correction.action"),
        ({"about": ABOUT_TURN, "correction": {"action": "none", "route": "support"}}, "correction.route"),
        ({"about": ABOUT_TURN, "correction": {"answer": "a\0b"}}, "correction.answer"),
        ({"about": ABOUT_TICKET, "correction": {"priority": "soon"}}, "correction.priority"),
        ({"about": ABOUT_TICKET, "correction": {"next_action": {"tool": "dance"}}}, "correction.next_action.tool"),
        (
            {"about": ABOUT_TICKET, "correction": {"next_action": {"tool": "list_orders", "arguments": {"a": ["\0"]}}}},
            "correction.next_action.arguments",
        ),
    ],
)
async def test_what_makes_no_sense_is_refused(desk: Gateway, body: dict[str, Any], param: str) -> None:
    answer = await desk.call("POST", "/api/feedback", role="staff", json=body)
    assert (answer.status_code, answer.json()["param"]) == (400, param)
    assert await listed(desk) == []


async def test_a_number_that_not_every_reader_reads_alike_is_refused_and_leaves_nothing(desk: Gateway) -> None:
    call = {"tool": "lookup_order", "arguments": {"order_id": 2**60}}
    refused = await give(desk, "staff", ABOUT_TICKET, correction={"next_action": call})
    assert refused.status_code == 400
    assert await listed(desk) == []


async def test_the_log_keeps_no_address_or_card(desk: Gateway) -> None:
    comment = "write to ann@example.org, card 4111 1111 1111 1111"
    given = (await give(desk, "staff", comment=comment, correction={"answer": "Call +353 91 123 456."})).json()
    (entry,) = (await desk.call("GET", "/api/audit", params={"object": f"feedback/{given['id']}"})).json()["data"]
    assert entry["payload"]["comment"] == "write to [email], card [card]"
    assert entry["payload"]["correction"] == {"answer": "Call [phone]."}
    assert given["comment"] == comment


async def test_the_same_request_twice_is_one(desk: Gateway) -> None:
    options = {"headers": {"idempotency-key": "k"}, "json": {"about": ABOUT_TURN, "rating": "up"}}
    answers = [await desk.call("POST", "/api/feedback", role="customer", **options) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotent-replayed"] == "true"
