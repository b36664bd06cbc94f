"""Feedback on both databases: who speaks again replaces what they said, at once or one after the other."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select

from agents.corrections import Kind, Rating
from agents.feedback import RATING, About, FeedbackRow, FeedbackStore, Said
from core.audit import Audit
from core.database import Database
from core.errors import Forbidden, NotFound
from core.types import Principal, Role

CLIENT = Principal("key_c", "harbor", Role.CLIENT, "CUS-00001")
STAFF, COLLEAGUE = (Principal(f"key_{name}", "harbor", Role.STAFF) for name in "sk")
ADMIN, STRANGER = Principal("key_a", "harbor", Role.ADMIN), Principal("key_x", "rival", Role.ADMIN)
TURN = About(Kind.TURN, "turn-1")
SNAPSHOT = {"text": "Where is it?", "answer": None, "heading": None, "declined": False}
UP, DOWN = Said(RATING, Rating.UP, None, None), Said(RATING, Rating.DOWN, None, "no")
ROUTE = Said("route", None, {"route": "support"}, None)


@pytest.fixture
def store(database: Database) -> FeedbackStore:
    return FeedbackStore(database, Audit(database))


async def actions(database: Database, feedback_id: str) -> list[str]:
    entries = await Audit(database).entries("harbor", of=f"feedback/{feedback_id}")
    return [each.entry.action for each in entries]


async def test_a_later_word_replaces_the_earlier(database: Database, store: FeedbackStore) -> None:
    first = await store.put(CLIENT, "customer:CUS-00001", TURN, DOWN, SNAPSHOT)
    again = await store.put(CLIENT, "customer:CUS-00001", TURN, UP, {**SNAPSHOT, "answer": "There."})
    assert (again.id, again.created, again.said, again.snapshot["answer"]) == (first.id, first.created, UP, "There.")
    assert again.updated > first.updated
    assert await store.list("harbor") == [again]
    assert await actions(database, first.id) == ["feedback.give", "feedback.replace"]


async def test_everybody_s_and_every_kind_s_word_stands(store: FeedbackStore) -> None:
    for who, author in ((STAFF, "key:s"), (COLLEAGUE, "key:k")):
        for said in (UP, ROUTE):
            await store.put(who, author, TURN, said, SNAPSHOT)
    other = await store.put(STAFF, "key:s", About(Kind.TICKET, "turn-1"), UP, SNAPSHOT)
    assert len(await store.list("harbor")) == 5
    assert await store.list("harbor", kind=Kind.TICKET) == [other]
    assert len(await store.list("harbor", rating=Rating.UP)) == 3


async def test_many_words_at_once_leave_one_row_and_the_whole_history(database: Database, store: FeedbackStore) -> None:
    said = [Said(RATING, Rating.UP if number % 2 else Rating.DOWN, None, str(number)) for number in range(12)]
    await asyncio.gather(*(store.put(STAFF, "key:s", TURN, each, SNAPSHOT) for each in said))
    async with database.session() as session:
        assert await session.scalar(select(func.count()).select_from(FeedbackRow)) == 1
    (left,) = await store.list("harbor")
    entries = await Audit(database).entries("harbor", of=f"feedback/{left.id}")
    assert {each.entry.payload["comment"] for each in entries} == {str(number) for number in range(12)}
    assert len(entries) == 12
    assert entries[-1].entry.payload["comment"] == left.said.comment, "the log ends with what stands"
    assert (await Audit(database).verify("harbor")).broken is None


async def test_pages_go_back_in_time(store: FeedbackStore) -> None:
    made = [await store.put(STAFF, "key:s", About(Kind.TURN, f"t{number}"), UP, SNAPSHOT) for number in range(5)]
    await store.put(STAFF, "key:s", About(Kind.TURN, "t0"), DOWN, SNAPSHOT)
    first = await store.list("harbor", limit=3)
    rest = await store.list("harbor", limit=3, after=first[-1].id)
    assert [each.id for each in first + rest] == [each.id for each in made[::-1]]
    with pytest.raises(NotFound):
        await store.list("rival", after=first[-1].id)


async def test_it_is_taken_back_by_its_author_or_an_admin(database: Database, store: FeedbackStore) -> None:
    given = await store.put(CLIENT, "customer:CUS-00001", TURN, UP, SNAPSHOT)
    with pytest.raises(Forbidden):
        await store.remove(STAFF, "key:s", given.id)
    with pytest.raises(NotFound):
        await store.remove(STRANGER, "customer:CUS-00001", given.id)
    await store.remove(ADMIN, "key:a", given.id)
    with pytest.raises(NotFound):
        await store.remove(CLIENT, "customer:CUS-00001", given.id)
    assert await actions(database, given.id) == ["feedback.give", "feedback.remove"]


async def test_tenants_do_not_meet(store: FeedbackStore) -> None:
    mine = await store.put(STAFF, "key:s", TURN, UP, SNAPSHOT)
    theirs = await store.put(Principal("key_s", "rival", Role.STAFF), "key:s", TURN, DOWN, SNAPSHOT)
    assert mine.id != theirs.id
    assert await store.list("harbor") == [mine]
    assert await store.list("rival") == [theirs]
    with pytest.raises(NotFound):
        await store.get("rival", mine.id)
