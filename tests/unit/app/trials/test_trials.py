"""What the registry says, the engine does: without a restart, and after one."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from app.engines.trial import TrialEngine
from app.subject import answering
from app.trials.figures import Share
from app.trials.ratings import Ratings
from app.trials.sides import meets
from app.trials.trials import Trials
from core.database import Database
from core.errors import EngineUnavailable, UnsupportedOperation
from core.promotions import ITSELF
from core.registry import Registry
from core.settings import RegistrySettings
from core.versions import Alias, Kind, Mode, Plan
from tests.fakes.candidates import MODEL, candidate
from tests.fakes.engines import ScriptedEngine
from tests.fakes.variants import ScriptedOpener

CANARY = Plan(Mode.CANARY, 50)
PEOPLE = [f"customer:CUS-{number:05}" for number in range(200)]
MEETS = next(each for each in PEOPLE if meets(f"harbor/{each}", MODEL, 2, 50))
MEETS_NOT = next(each for each in PEOPLE if not meets(f"harbor/{each}", MODEL, 2, 50))
BROKEN = EngineUnavailable("broken")


class Thumbs(Ratings):
    """Says what it is told to."""

    given = (Share(0, 0), Share(0, 0))

    async def since(self, moment: datetime, challenger: str) -> tuple[Share, Share]:
        assert challenger == f"{MODEL}@2"
        return self.given


class House:
    """A gateway's trials on a database; `again` is what a restart, or another process, makes of it."""

    def __init__(self, database: Database, workspace: Path) -> None:
        self.database, self.workspace = database, workspace
        self.registry = Registry.of(database, workspace)
        self.opener = ScriptedOpener()
        self.engine = TrialEngine(ScriptedEngine("base", name="embedded"))
        self.thumbs = Thumbs(database)
        settings = RegistrySettings(minimum=5, poll_seconds=0.01)
        self.trials = Trials(self.registry, self.engine, self.opener.openers, self.thumbs, settings)

    def again(self) -> House:
        return House(self.database, self.workspace)

    async def told(self, person: str = MEETS) -> str:
        answering("harbor", person)
        done = await self.engine.complete({"messages": [{"role": "user", "content": "hello"}]})
        return str(done.body["choices"][0]["message"]["content"])


@pytest.fixture
async def house(tmp_path: Path, template: Path) -> AsyncIterator[House]:
    path = tmp_path / "wayside.db"
    shutil.copy(template, path)
    database = Database(f"sqlite+aiosqlite:///{path}")
    made = House(database, tmp_path)
    for content in ("one", "two", "three"):
        await made.registry.register(candidate(tmp_path / "new", content), "local:ada")
    yield made
    await made.trials.close()
    await database.close()


async def test_champion_and_challenger_come_and_go_without_a_restart(house: House) -> None:
    await house.trials.refresh()
    assert await house.told() == "base"
    await house.registry.promote(MODEL, 1, "key_1", "first")
    await house.registry.challenge(MODEL, 2, CANARY, "key_1", "try")
    await house.trials.refresh()
    assert (await house.told(MEETS), await house.told(MEETS_NOT)) == ("version 2", "version 1")
    assert house.engine.name == "house-adapter@1"
    await house.registry.promote(MODEL, 2, "key_1", "it does well")
    await house.trials.refresh()
    assert (await house.told(MEETS), await house.told(MEETS_NOT)) == ("version 2", "version 2")
    # What was the challenger was not opened a second time, and what is not needed is closed.
    assert (house.opener.opened, house.opener.closed) == ([1, 2], [1])
    for _ in range(2):
        await house.registry.rollback(MODEL, Alias.CHAMPION, "key_1", "complaints")
    await house.trials.refresh()
    assert await house.told() == "base"


async def broken_trial(house: House) -> None:
    house.opener.says[2] = BROKEN
    await house.registry.promote(MODEL, 1, "key_1", "first")
    await house.registry.challenge(MODEL, 2, CANARY, "key_1", "try")
    await house.trials.refresh()
    for _ in range(20):
        assert await house.told(MEETS_NOT) == "version 1"
    for _ in range(10):
        assert await house.told(MEETS) == "version 1"


async def test_a_broken_challenger_is_rolled_back_by_itself_and_stays_so(house: House) -> None:
    running = asyncio.create_task(house.trials.run())
    await broken_trial(house)
    async with asyncio.timeout(10):
        while not house.trials.rollbacks:
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (await house.registry.standing(MODEL)).challenger is None
    last = (await house.registry.history(MODEL))[-1]
    assert (last.action, last.alias, last.before, last.by) == ("rollback", "challenger", 2, ITSELF)
    assert last.why == "5 of 5 answers failed; of the champion's, 0 of 20"
    assert [(each.metric, each.refuses) for each in last.findings] == [("errors", True)]
    assert (await house.registry.verify()).broken is None
    assert house.trials.rollbacks == {"errors": 1}
    after = house.again()
    await after.trials.refresh()
    assert after.opener.opened == [1]
    assert await after.told(MEETS) == "version 1"


@pytest.mark.parametrize(("plan", "left"), [(CANARY, None), (Plan(Mode.SHADOW), 2)])
async def test_thumbs_down_take_a_canary_back_and_a_shadow_not(house: House, plan: Plan, left: int | None) -> None:
    await house.registry.challenge(MODEL, 2, plan, "key_1", "try")
    await house.trials.refresh()
    house.thumbs.given = (Share(15, 20), Share(5, 100))
    await house.trials.refresh()
    assert (await house.registry.standing(MODEL)).challenger == left
    if left is None:
        why = (await house.registry.history(MODEL))[-1].why
        assert why == "15 of 20 answers were disliked; of the champion's, 5 of 100"
        assert await house.told(MEETS) == "base"


async def test_whoever_was_quicker_is_not_overruled(house: House) -> None:
    await broken_trial(house)
    await house.registry.rollback(MODEL, Alias.CHALLENGER, "key_1", "I saw it")
    await house.registry.challenge(MODEL, 2, CANARY, "key_1", "once more, mended")
    await house.trials.refresh()
    assert (await house.registry.standing(MODEL)).challenger == 2
    assert house.trials.rollbacks == {}


async def test_other_processes_follow(house: House) -> None:
    other = house.again()
    other.opener.says[2] = "unbroken here"
    await other.trials.refresh()
    await broken_trial(house)
    await other.trials.refresh()
    assert await other.told(MEETS) == "unbroken here"
    await house.trials.refresh()
    await other.trials.refresh()
    assert await other.told(MEETS) == "version 1"
    assert other.opener.closed == [2]
    await other.trials.close()


async def test_a_trial_keeps_its_figures_until_it_is_another(house: House) -> None:
    await house.registry.challenge(MODEL, 2, CANARY, "key_1", "try")
    await house.trials.refresh()
    await house.told(MEETS)
    await house.registry.register(candidate(house.workspace / "new", "four"), "local:ada")
    await house.trials.refresh()
    assert house.engine.trial is not None and house.engine.trial.figures.challenger.answers == 1
    await house.registry.challenge(MODEL, 2, Plan(Mode.SHADOW), "key_1", "unseen")
    await house.trials.refresh()
    assert house.engine.trial is not None and house.engine.trial.figures.challenger.answers == 0
    assert house.opener.opened == [2]


async def test_a_challenger_that_cannot_be_opened_is_rolled_back(house: House) -> None:
    house.opener.broken.add(2)
    await house.registry.challenge(MODEL, 2, CANARY, "key_1", "try")
    await house.trials.refresh()
    assert (await house.registry.standing(MODEL)).barred == (2,)
    assert "no valid adapter" in (await house.registry.history(MODEL))[-1].why
    assert await house.told() == "base"


async def test_a_champion_that_was_tampered_with_is_never_opened(house: House) -> None:
    await house.registry.promote(MODEL, 1, "key_1", "first")
    version = await house.registry.version(MODEL, 1)
    (await house.registry.files(version))["adapter.gguf"].write_text("evil")
    await house.trials.refresh()
    assert (house.opener.opened, await house.told()) == ([], "base")


async def test_an_answer_under_way_ends_before_its_engine_is_closed(house: House) -> None:
    await house.registry.promote(MODEL, 1, "key_1", "first")
    await house.trials.refresh()
    stream: Any = await house.engine.stream({"messages": [], "stream": True})
    await house.registry.promote(MODEL, 2, "key_1", "better")
    await house.trials.refresh()
    assert house.opener.closed == []
    said = [part["delta"].get("content") async for chunk in stream.chunks for part in chunk["choices"]]
    assert said[0] == "version 1"
    assert house.opener.closed == [1]


async def test_only_what_can_answer_here_is_tried(house: House) -> None:
    lineage_of = candidate(house.workspace / "new", "other", model="student-1", kind=Kind.STUDENT)
    student = await house.registry.register(lineage_of, "local:ada")
    with pytest.raises(UnsupportedOperation, match="only house-adapter answers here"):
        house.trials.check(student)
    house.trials.check(await house.registry.version(MODEL, 1))
