"""One function in a child process: what comes back, what ends it, and that nothing is left."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from core.confined import Bounds, Confined, Stopped, Why
from core.errors import TooLarge
from evals.bench.process import tree

BOUNDS = Bounds(seconds=20, memory=2**28, answer=2**20)


def confined(name: str, *, spare: bool = False) -> Confined:
    return Confined(f"tests.fakes.confined:{name}", spare=spare)


async def test_request_and_content_go_in_and_come_out_whole() -> None:
    request, content = {"words": ["Ä\n", 1.5, None]}, b"\n\0\xff" * 200_000
    assert await confined("echo").call(request, content, BOUNDS) == (request, content)


async def test_the_child_sees_nothing_of_our_environment() -> None:
    answer, _ = await confined("surroundings").call({}, b"", BOUNDS)
    assert set(answer["environment"]) <= {"PATH", "LD_LIBRARY_PATH", "LC_CTYPE"}
    assert answer["isolated"] == 1


async def test_a_refusal_keeps_its_class_code_and_place() -> None:
    with pytest.raises(TooLarge, match="Too many words") as caught:
        await confined("refuse").call({}, b"", BOUNDS)
    assert (caught.value.code, caught.value.param) == ("too_many_words", "text")


@pytest.mark.parametrize(
    ("name", "bounds", "why"),
    [
        ("sleep", Bounds(0.5, 2**28, 100), Why.TIME),
        ("swell", Bounds(20, 2**28, 2**30), Why.MEMORY),
        ("swell", Bounds(20, 2**30, 2**20), Why.ANSWER),
        ("fail", BOUNDS, Why.CRASH),
        ("die", BOUNDS, Why.CRASH),
        ("write", BOUNDS, Why.CRASH),
    ],
)
async def test_each_bound_stops_the_child_and_says_which(
    name: str, bounds: Bounds, why: Why, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    request = {"bytes": 2**29, "path": str(tmp_path / "written")}
    with pytest.raises(Stopped) as caught:
        await confined(name).call(request, b"secret words", bounds)
    assert caught.value.why is why
    assert "secret" not in caplog.text
    assert not (tmp_path / "written").exists() or not (tmp_path / "written").stat().st_size


async def test_cancelling_ends_the_child_and_the_next_call_is_served() -> None:
    child = confined("spin", spare=True)
    for _ in range(2):
        calling = asyncio.create_task(child.call({}, b"", BOUNDS))
        await asyncio.sleep(0.2)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
    await child.close()


async def test_each_call_has_a_child_of_its_own_also_when_one_waits() -> None:
    child = confined("surroundings", spare=True)
    one, two = await asyncio.gather(*(child.call({}, b"", BOUNDS) for _ in range(2)))
    three = await child.call({}, b"", BOUNDS)
    assert len({answer["pid"] for answer, _ in (one, two, three)}) == 3
    await child.close()
    await child.close()


def waiting(function: str) -> list[int]:
    """Our children that wait for a call of the function."""
    found = []
    for pid in tree(os.getpid())[1:]:
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            if function.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


async def test_one_child_waits_for_the_next_call_and_is_replaced_when_it_dies() -> None:
    child = confined("surroundings", spare=True)
    await child.call({}, b"", BOUNDS)
    while not (spare := waiting("confined:surroundings")):
        await asyncio.sleep(0.01)
    assert (await child.call({}, b"", BOUNDS))[0]["pid"] == spare[0]
    while not (spare := waiting("confined:surroundings")):
        await asyncio.sleep(0.01)
    os.kill(spare[0], signal.SIGKILL)
    while spare[0] in waiting("confined:surroundings"):
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)  # its end is told to the event loop
    assert (await child.call({}, b"", BOUNDS))[0]["pid"] != spare[0]
    await child.close()
    assert not waiting("confined:surroundings")
