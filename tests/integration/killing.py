"""Kills workers in the middle of effects and counts what happened.

`python -m tests.integration.killing --kills 500` does it on SQLite and on PostgreSQL, over a destination that is
idempotent by key and one that is not, and fails when an effect was lost, happened twice, or was answered unlike.

Workers are forked from this process, which has everything imported and nothing open: no threads, no event loop, no
connection. So a worker costs milliseconds, and forking is safe.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any, NoReturn

import aiosqlite  # noqa: F401  (the workers find it imported)
import asyncpg  # type: ignore[import-untyped]  # noqa: F401
import httpx2
from sqlalchemy import func, select

from core.canonical import JSON
from core.database import Database
from core.effects import Effect, effect_key
from core.errors import Conflict, InFlight, OutcomeUnknown
from core.ledger import Ledger
from core.reservations import EffectRow, Status
from tests.databases import create, drop
from tests.fakes.destination import MemoryDestination
from tests.integration.dying import Moment, Mortal, perform

ROOT = Path(__file__).parents[2]
KINDS = ("plain", "keyed")
# A fresh worker gets to the end of its effect in about this time, so a random moment is within it. In seconds.
LIFE = 0.2
READING_BACK = (Moment.BEFORE_READ_BACK, Moment.AFTER_READ_BACK)
RESERVING = (Moment.BEFORE_RESERVE, Moment.IN_RESERVE, Moment.AFTER_RESERVE)
FIRST = tuple(each for each in Moment if each not in READING_BACK)
HEIR = (*READING_BACK, *(each for each in Moment if each not in RESERVING))  # reading back is what heirs are for


@dataclass
class Task:
    """An effect, how often its workers are still to die, and what those that lived came back with."""

    kind: str
    effect: Effect
    deaths: int
    workers: int = 0
    results: list[Any] = field(default_factory=list)


@dataclass
class Worker:
    """A worker that runs: where its result will come from, and when it is to be killed from outside, if it is."""

    task: Task
    moment: Moment | None
    reading: int
    kill_at: float | None


class Unasked(Exception):
    """Raised where a destination is asked for what the ledger should know."""


class Killing:
    """One run over one database. `kills` is how many workers have to die, and at each moment one has to.

    Which moments a worker gets to depends on what became of those before it, so a short run may need more deaths
    than it was asked for; after three times as many it gives up.
    """

    def __init__(self, dsn: str, url: str, kills: int, lanes: int, seed: int) -> None:
        self._dsn = dsn
        self._url = url
        self._wanted = kills
        self._lanes = lanes
        self._chance = random.Random(seed)
        self._first = cycle(self._chance.sample(FIRST, len(FIRST)))
        self._heir = cycle(self._chance.sample(HEIR, len(HEIR)))
        self._workers: dict[int, Worker] = {}
        self.tasks: list[Task] = []
        self.kills: Counter[str] = Counter()

    def run(self) -> None:
        """Kill until enough have died, and then let the rest of the work be done."""
        assert threading.active_count() == 1, "forking with threads is not safe"
        gc.freeze()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        try:
            while self._workers or not self._enough():
                while not self._enough() and len(self._workers) < self._lanes:
                    self._begin()
                self._wait()
        finally:
            for pid in self._workers:
                os.kill(pid, signal.SIGKILL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})

    def _enough(self) -> bool:
        deaths = self.kills.total()
        return deaths >= 3 * self._wanted or (deaths >= self._wanted and len(self.kills) == len(Moment))

    def _begin(self) -> None:
        """Start on a new effect: one in ten will be refused, one in four has two workers at once."""
        number = len(self.tasks)
        arguments: dict[str, JSON] = {"order": f"ORD-{number:05}", "shipped": self._chance.random() < 0.1}
        key = effect_key("harbor", f"thread-{number}", 1, 0, "cancel_order", arguments)
        effect = Effect("harbor", key, "cancel_order", arguments)
        task = Task(KINDS[number % 2], effect, self._chance.choice((1, 2, 2, 3)))
        self.tasks.append(task)
        self._fork(task, next(self._first))
        if self._chance.random() < 0.25:
            self._fork(task, None)

    def _fork(self, task: Task, moment: Moment | None) -> None:
        reading, writing = os.pipe()
        mortal = Mortal(moment, self._chance.uniform(0, 0.05))
        pid = os.fork()
        if pid == 0:
            _live(writing, self._dsn, self._url, task, mortal)
        os.close(writing)
        kill_at = time.monotonic() + self._chance.uniform(0, LIFE) if moment is Moment.ANY else None
        task.workers += 1
        self._workers[pid] = Worker(task, moment, reading, kill_at)

    def _wait(self) -> None:
        """Wait for the next death, or for the next moment to kill at."""
        due = [each.kill_at for each in self._workers.values() if each.kill_at is not None]
        signal.sigtimedwait({signal.SIGCHLD}, max(0.0, min(due, default=time.monotonic() + 1) - time.monotonic()))
        for pid, worker in self._workers.items():
            if worker.kill_at is not None and worker.kill_at <= time.monotonic():
                os.kill(pid, signal.SIGKILL)
                worker.kill_at = None
        while self._workers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._ended(self._workers.pop(pid), status)

    def _ended(self, worker: Worker, status: int) -> None:
        with os.fdopen(worker.reading, "rb") as pipe:
            said = pipe.read()
        task = worker.task
        task.workers -= 1
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL, f"a worker died of signal {os.WTERMSIG(status)}"
            assert worker.moment is not None, "a worker died that was to live"
            self.kills[worker.moment.value] += 1
            task.deaths -= 1
        elif os.WEXITSTATUS(status) != os.EX_TEMPFAIL:
            assert status == 0, "a worker failed: see above"
            task.results.append(json.loads(said))
        if not task.workers and not task.results:
            self._fork(task, next(self._heir) if task.deaths > 0 and not self._enough() else None)

    def verdict(self) -> dict[str, Any]:
        """What became of every effect. All figures but the first group have to be 0."""
        happened = httpx2.get(f"{self._url}/counts", trust_env=False).json()
        replayed, unfinished = asyncio.run(self._replay())
        found: Counter[str] = Counter()
        for task, again in zip(self.tasks, replayed, strict=True):
            times = happened.get(task.kind, {}).get(task.effect.key, 0)
            refused = bool(task.effect.arguments["shipped"])
            found[f"effects_{task.kind}"] += 1
            found["effects_refused"] += refused
            found[f"lost_{task.kind}"] += times < (0 if refused else 1)
            found[f"twice_{task.kind}"] += times > (0 if refused else 1)
            found["unlike"] += any(result != again for result in task.results)
            found["untrue"] += ("refused" in again) != refused
        return {"kills": self.kills.total(), "unfinished": unfinished, **found, "moments": dict(self.kills)}

    async def _replay(self) -> tuple[list[Any], int]:
        """What the ledger now says of each effect, without a destination to ask; and how many have no end yet."""
        database = Database(self._dsn)
        ledger, nowhere = Ledger(database, patience=timedelta(0)), MemoryDestination(*[Unasked()] * len(self.tasks))
        results: list[Any] = []
        for task in self.tasks:
            try:
                results.append(await ledger.perform(task.effect, nowhere))
            except Conflict as refusal:
                results.append({"refused": refusal.message, "param": refusal.param})
        async with database.session() as session:
            reserved = select(func.count()).where(EffectRow.status == Status.RESERVED.value)
            unfinished = int(await session.scalar(reserved) or 0)
        await database.close()
        return results, unfinished


def _live(writing: int, dsn: str, url: str, task: Task, mortal: Mortal) -> NoReturn:
    """The life of a worker, in the process that was forked for it."""
    code = 1
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        result = asyncio.run(perform(dsn, url, task.kind, task.effect, mortal))
        os.write(writing, json.dumps(result).encode())
        code = 0
    except (InFlight, OutcomeUnknown, TimeoutError):
        code = os.EX_TEMPFAIL  # Where the whole machine sleeps for longer than a timeout, the next worker goes on.
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


@contextmanager
def counting() -> Iterator[str]:
    """The destination, in a process of its own; yields its URL."""
    command = [sys.executable, "-m", "tests.integration.counting"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


def kill(dsn: str, kills: int, lanes: int, seed: int) -> dict[str, Any]:
    """Run over this database, which is migrated, and return the verdict."""
    started = time.monotonic()
    with counting() as url:
        killing = Killing(dsn, url, kills, lanes, seed)
        killing.run()
        return {**killing.verdict(), "seconds": round(time.monotonic() - started, 1)}


def main() -> None:
    """Kill on each database; exit code 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description="Kill workers in the middle of effects, and count.")
    parser.add_argument("--kills", type=int, default=500, help="workers that have to die, on each database")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="default: both")
    parser.add_argument("--dsn", help="a database that is there and migrated, instead of fresh ones")
    parser.add_argument("--lanes", type=int, default=24, help="workers at once")
    parser.add_argument("--seed", type=int, default=20)
    given = parser.parse_args()
    broken = False
    for kind in [given.database] if given.database else ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory() as folder:
            dsn = given.dsn or asyncio.run(create(kind, Path(folder)))
            try:
                verdict = kill(dsn, given.kills, given.lanes, given.seed)
            finally:
                if not given.dsn:
                    asyncio.run(drop(dsn))
        print(json.dumps({"database": dsn.partition("+")[0], **verdict}), flush=True)
        wrong = {name: count for name, count in verdict.items() if name.startswith(("lost", "twice", "un")) and count}
        broken = broken or bool(wrong)
        if given.dsn:
            break
    sys.exit(broken)


if __name__ == "__main__":
    main()
