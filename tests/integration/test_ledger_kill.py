"""Killed at every step and at random, over a destination that counts: nothing lost, nothing twice.

The full run is `python -m tests.integration.killing --kills 500`.
"""

from __future__ import annotations

import json
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE

import pytest

from core.database import Database
from tests.integration.dying import Moment
from tests.integration.killing import ROOT

KILLS = 60


@pytest.mark.timeout(280)
async def test_killed_at_any_moment_every_effect_happens_once(database: Database) -> None:
    command = (sys.executable, "-m", "tests.integration.killing", "--kills", str(KILLS), "--dsn", database.dsn)
    process = await create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE, stderr=PIPE)
    output, errors = await process.communicate()
    assert process.returncode == 0, (output + errors).decode()
    verdict = json.loads(output)
    assert verdict["kills"] >= KILLS
    assert set(verdict["moments"]) == set(Moment), "some moment was never hit"
    assert min(verdict["effects_plain"], verdict["effects_keyed"], verdict["effects_refused"]) > 0
    promises = ("lost_plain", "lost_keyed", "twice_plain", "twice_keyed", "unlike", "untrue", "unfinished")
    assert {name: verdict[name] for name in promises} == dict.fromkeys(promises, 0)
