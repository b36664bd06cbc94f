import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from app.engines.protocol import Engine
from app.engines.trial import Trial, TrialEngine
from app.subject import answering
from app.trials.sides import meets
from core.errors import EngineRejected, EngineUnavailable
from core.versions import Mode, Plan
from tests.fakes.engines import ScriptedEngine
from tests.fakes.variants import SlowEngine

ASKED: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}
BROKEN = EngineUnavailable("broken")
FAILURES = (BROKEN, RuntimeError("a bug"), EngineRejected("what is this?"))
PEOPLE = [f"customer:CUS-{number:05}" for number in range(200)]
MEETS = next(each for each in PEOPLE if meets(f"harbor/{each}", "house", 2, 50))
MEETS_NOT = next(each for each in PEOPLE if not meets(f"harbor/{each}", "house", 2, 50))


def trial(challenger: Engine, mode: Mode = Mode.CANARY, patience: float = 5.0) -> Trial:
    plan = Plan(mode, 50 if mode is Mode.CANARY else 0)
    return Trial("house", 2, plan, datetime(2026, 1, 1, tzinfo=UTC), challenger, minimum=5, patience=patience)


def trying(champion: Engine, tried: Trial) -> TrialEngine:
    engine = TrialEngine(champion)
    engine.serve(None, tried)
    return engine


async def told(engine: Engine, person: str = MEETS, *, streamed: bool = False) -> str:
    answering("harbor", person)
    if not streamed:
        text: str = (await engine.complete(ASKED)).body["choices"][0]["message"]["content"]
        return text
    chunks = (await engine.stream(ASKED | {"stream": True})).chunks
    return "".join([part["delta"].get("content") or "" async for chunk in chunks for part in chunk["choices"]])


@pytest.mark.parametrize("streamed", [False, True])
async def test_each_person_meets_the_same_side_each_time(streamed: bool) -> None:
    tried = trial(ScriptedEngine("new"))
    engine = trying(ScriptedEngine("old"), tried)
    for _ in range(3):
        assert await told(engine, MEETS, streamed=streamed) == "new"
        assert await told(engine, MEETS_NOT, streamed=streamed) == "old"
    assert (tried.figures.challenger.answers, tried.figures.champion.answers) == (3, 3)
    assert (tried.figures.challenger.errors, tried.figures.champion.errors) == (0, 0)


@pytest.mark.parametrize(
    ("failure", "streamed"),
    [
        *((failure, streamed) for failure in FAILURES for streamed in (False, True)),
        # What a stream is going to say is known only when it was said.
        ("", False),
    ],
)
async def test_who_meets_a_broken_challenger_gets_the_champions_answer(
    failure: BaseException | str, streamed: bool
) -> None:
    tried = trial(ScriptedEngine(failure))
    engine = trying(ScriptedEngine("old"), tried)
    assert await told(engine, streamed=streamed) == "old"
    assert (tried.figures.challenger.errors, tried.figures.challenger.answers) == (1, 1)
    assert tried.figures.champion.answers == 0


async def test_a_challenger_that_hangs_is_not_waited_for() -> None:
    tried = trial(SlowEngine("late"), patience=0.05)
    assert await told(trying(ScriptedEngine("old"), tried)) == "old"
    assert tried.figures.faults == {"no answer in time": 1}


async def test_a_request_that_both_reject_says_nothing_about_the_challenger() -> None:
    tried = trial(ScriptedEngine(EngineRejected("too long")))
    engine = trying(ScriptedEngine(EngineRejected("too long")), tried)
    for streamed in (False, True):
        with pytest.raises(EngineRejected):
            await told(engine, streamed=streamed)
        with pytest.raises(EngineRejected):
            await told(engine, MEETS_NOT, streamed=streamed)
    assert (tried.figures.challenger.answers, tried.figures.champion.answers) == (0, 0)


@pytest.mark.parametrize("failure", [BROKEN, RuntimeError("a bug")])
async def test_a_stream_that_breaks_off_is_an_error_that_the_protocol_knows(failure: BaseException) -> None:
    tried = trial(ScriptedEngine("some", failure))
    with pytest.raises(EngineUnavailable):
        await told(trying(ScriptedEngine("old"), tried), streamed=True)
    assert tried.figures.challenger.errors == 1


async def test_a_broken_challenger_is_dropped_at_once_and_whoever_wants_to_know_is_told() -> None:
    tried = trial(ScriptedEngine(BROKEN))
    engine = trying(ScriptedEngine("old"), tried)
    heard: list[Trial] = []
    engine.condemned = heard.append
    for _ in range(20):
        assert await told(engine, MEETS_NOT) == "old"
    answers = [await told(engine, MEETS) for _ in range(20)]
    assert answers == ["old"] * 20
    assert heard == [tried]
    assert tried.condemned == [("errors", "5 of 5 answers failed; of the champion's, 0 of 20")]
    assert len(tried.challenger.requests) == 5  # type: ignore[attr-defined]


async def test_a_champion_that_fails_as_often_does_not_condemn() -> None:
    tried = trial(ScriptedEngine(BROKEN))
    engine = trying(ScriptedEngine(BROKEN), tried)
    for person in (MEETS, MEETS_NOT) * 10:
        with pytest.raises(EngineUnavailable):
            await told(engine, person)
    assert engine.trial is tried


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_shadow_answers_unseen_and_is_compared(streamed: bool) -> None:
    challenger = ScriptedEngine("old indeed")
    tried = trial(challenger, Mode.SHADOW)
    engine = trying(ScriptedEngine("old"), tried)
    assert await told(engine, MEETS, streamed=streamed) == "old"
    while not tried.figures.challenger.answers:
        await asyncio.sleep(0)
    assert "stream" not in challenger.requests[0]
    assert tried.figures.compared == 1
    assert tried.figures.agreement == pytest.approx(2 / 3)


async def test_shadows_are_bounded_and_end_with_the_engine() -> None:
    slow = SlowEngine("late")
    tried = trial(slow, Mode.SHADOW)
    engine = trying(ScriptedEngine("old"), tried)
    for _ in range(3):
        assert await told(engine) == "old"
    assert tried.figures.skipped == 2
    await engine.close()
    assert (tried.figures.challenger.answers, slow.requests) == (0, [])


async def test_a_broken_shadow_is_dropped_and_nobody_notices() -> None:
    tried = trial(ScriptedEngine(BROKEN), Mode.SHADOW)
    engine = trying(ScriptedEngine("old"), tried)
    for _ in range(40):
        assert await told(engine) == "old"
        await asyncio.sleep(0)
    assert engine.trial is None
    assert tried.condemned[0][0] == "errors"


async def test_without_a_trial_the_champion_answers_everybody() -> None:
    engine = TrialEngine(ScriptedEngine("base", name="embedded"))
    assert await told(engine) == "base"
    engine.serve(ScriptedEngine("promoted", name="house@2"), None)
    assert (await told(engine), engine.name, engine.models) == ("promoted", "house@2", ("embedded-model",))
    engine.serve(None, None)
    assert await told(engine, streamed=True) == "base"
