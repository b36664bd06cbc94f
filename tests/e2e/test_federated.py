"""A gateway and ten devices, each a process: one is killed in the middle of a round, one attacks, eight learn."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import cli
from tests.e2e.server import ROOT, Server, command
from tests.unit.tabular.federated.making import TASK, people, plan

pytest.importorskip("dp_accounting.pld")

NAME = "stays"
HONEST = 8


class Processes:
    """Devices that run, each with rows and a key of its own; what they say is kept in files."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server, self._folder = server, folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, device: str, kind: str) -> None:
        with self._server.http() as http:
            asked = {"name": device, "role": "client", "customer_id": f"CUS-fed-{device}"}
            key = http.post("/api/keys", json=asked).raise_for_status().json()["key"]
        key_file, rows = self._folder / f"{device}.key", self._folder / f"{device}.csv"
        key_file.write_text(key)
        made = people(40, seed=len(self._running))
        with rows.open("w", newline="") as lines:
            writer = csv.DictWriter(lines, list(made[0]))
            writer.writeheader()
            writer.writerows(made)
        if kind == "program":
            arguments = ["device", "federate", NAME, self._server.url, "--rows", str(rows), "--agree"]
            line = command(*arguments, "--key-file", str(key_file))
        else:
            module = [sys.executable, "-m", "tests.e2e.federating"]
            line = [*module, kind, self._server.url, str(key_file), NAME, str(rows)]
        with (self._folder / f"{device}.log").open("wb") as log:
            self._running[device] = subprocess.Popen(line, cwd=ROOT, stdout=log, stderr=log)

    def said(self, device: str) -> str:
        return (self._folder / f"{device}.log").read_text()

    def kill(self, device: str) -> None:
        self._running[device].kill()
        self._running[device].wait()

    def ended(self, device: str) -> int:
        return self._running[device].wait(timeout=120)

    def close(self) -> None:
        for each in self._running.values():
            each.kill()
            each.wait()


@pytest.fixture
def processes(demo_server: Server, tmp_path: Path) -> Iterator[Processes]:
    made = Processes(demo_server, tmp_path)
    yield made
    made.close()


def engineer(server: Server, *arguments: str) -> str:
    """The command line, in this process; it finds the server by its workspace."""
    line = ["tabular", "federations", *arguments, "--workspace", str(server.workspace)]
    done = CliRunner(env={"COLUMNS": "200"}).invoke(cli, line)
    assert done.exception is None, done.exception
    return done.output


def until(found: Any, told: Any, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, told()
        time.sleep(0.1)


def test_ten_devices_of_which_one_dies_and_one_attacks(
    demo_server: Server, processes: Processes, tmp_path: Path
) -> None:
    terms = plan(epsilon=2.5, delta=0.01, population=10, share=1.0, noise=2.0, rounds=50, seconds=20, epochs=3)
    declared = {
        "name": NAME,
        "about": "Who stays?",
        "task": TASK.model_dump(mode="json"),
        "plan": terms.model_dump(mode="json"),
        "evaluation": people(200, seed=99),
    }
    file = tmp_path / "stays.json"
    file.write_text(json.dumps(declared))
    honest = [f"d{number}" for number in range(HONEST)]
    with demo_server.http() as http:
        assert "noise multiplier 2.000" in engineer(demo_server, "declare", str(file))
        for number, device in enumerate(honest):
            processes.start(device, "honest" if number else "program")
        processes.start("attacker", "poisonous")
        processes.start("victim", "hanging")

        def stands() -> Any:
            return http.get(f"/api/federated/{NAME}").raise_for_status().json()

        until(lambda: stands()["enrolled"] == 10, lambda: [processes.said(each) for each in honest])
        assert "running with 10 devices" in engineer(demo_server, "start", NAME)
        # Drawn, and gone before it answered.
        until(lambda: "hanging" in processes.said("victim"), stands)
        processes.kill("victim")
        until(lambda: stands()["round"] > 1, stands)
        # Whoever the dead device belonged to takes no part any more: rounds need not wait for it.
        key_file = str(tmp_path / "victim.key")
        left = CliRunner().invoke(cli, ["device", "leave", NAME, demo_server.url, "--key-file", key_file])
        assert left.exception is None, left.exception
        until(lambda: stands()["state"] == "done", stands)
        rounds = http.get(f"/api/federated/{NAME}/rounds").raise_for_status().json()["data"]
        shown = engineer(demo_server, "show", NAME)
        assert "registered as stays 1" in engineer(demo_server, "register", NAME)
        version = http.get(f"/api/models/{NAME}/versions/1").raise_for_status().json()
        found = stands()

    assert f"epsilon {found['spent']:.3f} of 2.5 at delta 0.01" in shown
    assert "is done, the privacy budget is spent: 9 devices" in shown
    spent = [each["epsilon"] for each in rounds]
    assert spent == sorted(set(spent))
    assert found["ended_why"] == "the privacy budget is spent"
    assert spent[-1] == found["spent"] <= 2.5
    assert [each["drawn"] for each in rounds] == [10, 10, 9, 9]
    assert all(each["answered"] <= 9 for each in rounds)
    # A busy machine may make some come too late: they go on with the next round.
    assert sum(each["answered"] for each in rounds) >= 9 * len(rounds) / 2
    assert rounds[-1]["accuracy"] is not None
    assert f"epsilon {found['spent']:.3f} at delta 0.01" in version["card"]

    for device in (*honest, "attacker"):
        assert processes.ended(device) == 0, processes.said(device)
    assert "the federation has ended" in processes.said("d0")
    assert all("sent" in processes.said(each) for each in honest)
    attacked = processes.said("attacker")
    assert "shape refused: invalid_input" in attacked
    assert "replayed refused: round_over" in attacked
    assert "infinite refused: 400" in attacked
    assert "twice refused: already_answered" in attacked
    assert "was taken" not in attacked
