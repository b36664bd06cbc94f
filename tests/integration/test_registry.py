"""The model registry on real databases, with several processes at it, and one that is killed."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import update

from agents.corrections import Kind, Rating
from agents.feedback import About, FeedbackStore, Said
from app.runs.owner import Owner
from app.runs.steps import Steps
from app.runs.timelines import CHAT, Timeline, Timelines
from app.trials.figures import Share
from app.trials.ratings import Ratings
from core.audit import Audit, AuditRow
from core.database import Database
from core.promotions import CHAIN
from core.registry import Registry
from core.types import Answer, Principal, Role, Usage
from core.versions import Alias, Mode, Plan
from tests.fakes.candidates import MODEL, candidate
from tests.integration.killing import ROOT


async def at_once(database: Database, folder: Path, *deeds: tuple[str, ...]) -> list[str]:
    """Do these in a process each, at the same time; how each ended, or `killed`."""
    line = (sys.executable, "-m", "tests.integration.promoting", database.dsn, str(folder))
    children: list[Process] = [
        await asyncio.create_subprocess_exec(*line, *deed, cwd=ROOT, stdin=PIPE, stdout=PIPE) for deed in deeds
    ]
    for child in children:
        assert child.stdout is not None and await child.stdout.readline() == b"ready\n"
    ended = await asyncio.gather(*(child.communicate(b"go\n") for child in children))
    return [output.decode().strip() or "killed" for output, _ in ended]


async def test_of_two_that_promote_at_once_one_wins(database: Database, tmp_path: Path) -> None:
    registry = Registry.of(database, tmp_path)
    for content in ("one", "two", "three"):
        await registry.register(candidate(tmp_path, content), "local:ada")
    await registry.promote(MODEL, 1, "key_1", "first")
    ended = await at_once(database, tmp_path, ("promote", "2", "1"), ("promote", "3", "1"))
    assert sorted(ended) == ["conflict", "promoted"]
    standing = await registry.standing(MODEL)
    assert standing.champions == (1, 2 if ended[0] == "promoted" else 3)
    promoted = [each for each in await registry.history(MODEL) if each.action == "promote"]
    assert [(each.before, each.after) for each in promoted] == [(None, 1), (1, standing.champion)]
    assert (await registry.verify()).broken is None


async def test_those_that_register_at_once_get_their_numbers(database: Database, tmp_path: Path) -> None:
    ended = await at_once(database, tmp_path, ("register", "one"), ("register", "two"))
    assert sorted(ended) == ["version 1", "version 2"]
    registry = Registry.of(database, tmp_path)
    assert f"version {(await registry.register(candidate(tmp_path, 'one'), 'local:ada')).number}" == ended[0]
    for version in await registry.versions(MODEL):
        files = await registry.files(version)
        assert files["adapter.gguf"].read_text() in ("one", "two")
    assert [each.after for each in await registry.history(MODEL)] == [1, 2]


async def test_killed_between_files_and_row_nothing_is_half_registered(database: Database, tmp_path: Path) -> None:
    assert await at_once(database, tmp_path, ("die", "one")) == ["killed"]
    registry = Registry.of(database, tmp_path)
    assert await registry.models() == []
    version = await registry.register(candidate(tmp_path, "one"), "local:ada")
    assert version.number == 1
    assert (await registry.files(version))["adapter.gguf"].read_text() == "one"
    assert [each.action for each in await registry.history(MODEL)] == ["register"]


async def test_the_ledger_is_in_order_and_gives_away_who_changes_it(database: Database, tmp_path: Path) -> None:
    registry = Registry.of(database, tmp_path)
    for content in ("one", "two"):
        await registry.register(candidate(tmp_path, content), "local:ada")
    await registry.promote(MODEL, 1, "key_1", "first")
    await registry.challenge(MODEL, 2, Plan(Mode.CANARY, 10), "key_1", "try")
    await registry.rollback(MODEL, Alias.CHALLENGER, "wayside", "errors")
    await registry.rollback(MODEL, Alias.CHAMPION, "key_1", "all of it")
    history = await registry.history(MODEL)
    assert [(each.number, each.action, each.before, each.after) for each in history] == [
        (1, "register", None, 1),
        (2, "register", None, 2),
        (3, "promote", None, 1),
        (4, "challenge", None, 2),
        (5, "rollback", 2, None),
        (6, "rollback", 1, None),
    ]
    assert [each.at for each in history] == sorted(each.at for each in history)
    assert (await registry.verify()).entries == 6
    mine = (AuditRow.tenant == CHAIN, AuditRow.number == 3)
    async with database.session() as session:
        row = await session.get(AuditRow, (CHAIN, 3))
        assert row is not None
        forged = row.content.replace('"why":"first"', '"why":"better"')
        assert forged != row.content
        await session.execute(update(AuditRow).where(*mine).values(content=forged))
    broken = (await registry.verify()).broken
    assert broken is not None and broken.number == 3


async def test_thumbs_are_counted_for_whoever_answered(database: Database) -> None:
    since = datetime.now(UTC) - timedelta(hours=1)
    timelines, feedback = Timelines(database), FeedbackStore(database, Audit(database))
    down, up = Rating.DOWN, Rating.UP
    for number, (engine, age, rating) in enumerate(
        [
            ("house@2", 0, down),
            ("house@2", 0, up),
            ("house@1", 0, up),
            ("embedded", 0, down),
            # What does not count: turns from before, turns without an engine, and comments without a thumb.
            ("house@2", 120, down),
            ("", 0, down),
            ("house@2", 0, None),
        ]
    ):
        principal = Principal(f"key_{number}", f"tenant-{number % 2}", Role.CLIENT)
        steps = Steps()
        steps.began -= timedelta(minutes=age)
        steps.answer = Answer("thread", "an answer", (), False, engine, Usage())
        owner = Owner.of(principal)
        told = Timeline.of(
            owner, f"thread-{number}", f"turn-{number}", steps, source=CHAT, assistant="wayside", question="a question"
        )
        timelines.record(told)
        await timelines.flush()
        said = Said("rating", rating, None, "hm")
        await feedback.put(principal, principal.owner, About(Kind.TURN, f"turn-{number}"), said, {"text": "a question"})
    assert await Ratings(database).since(since, "house@2") == (Share(1, 2), Share(1, 2))
