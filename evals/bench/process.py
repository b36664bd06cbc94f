"""The processes that a benchmark starts: servers on free ports of 127.0.0.1, ended with the block."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2

ROOT = Path(__file__).parent.parent.parent
START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that is ready. `seconds` is how long it took from its start."""

    port: int
    key: str
    pid: int
    seconds: float

    def client(self) -> httpx2.Client:
        """A client that carries the key. Proxies are for the world outside; this stays on 127.0.0.1."""
        headers = {"authorization": f"Bearer {self.key}"}
        return httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=120, trust_env=False)

    def models(self) -> list[str]:
        """The model names of `/v1/models`, in its order."""
        with self.client() as client:
            return [model["id"] for model in client.get("/v1/models").raise_for_status().json()["data"]]


@contextmanager
def gateway(workspace: Path, **settings: str) -> Iterator[Gateway]:
    """Serve the workspace in a process of its own, as `wayside serve` does, with limits out of the way.

    `settings` are added to its environment. The demo is off unless they say otherwise.
    """
    environment = {
        "WAYSIDE_DEMO": "false",
        "WAYSIDE_LIMITS__REQUESTS_PER_MINUTE": "1000000000",
        "WAYSIDE_LIMITS__TOKENS_PER_DAY": "1000000000",
        **settings,
    }
    arguments = ["-c", "from app.cli import main; main()", "serve", "--port", "0", "--workspace", str(workspace)]
    announcement = workspace / "server.json"
    begun = time.perf_counter()
    with child(arguments, environment) as process:

        def port() -> int | None:
            announced = json.loads(announcement.read_bytes()) if announcement.exists() else {}
            return int(announced["url"].rpartition(":")[2]) if announced.get("pid") == process.pid else None

        await_ready(process, lambda: (found := port()) is not None and answers(found, "/readyz"))
        seconds = time.perf_counter() - begun
        found = port()
        assert found is not None, "a ready gateway has announced its port"
        yield Gateway(found, (workspace / "admin.key").read_text().strip(), process.pid, seconds)


@contextmanager
def child(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run Python with the arguments while the block runs; raises `RuntimeError` with its last words if it fell."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603  (our own interpreter and modules)
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
            fell = process.poll() is not None
        finally:
            process.terminate()
            process.wait(timeout=60)
        if fell:
            output.seek(0)
            raise RuntimeError(f"the server ended by itself: {output.read().decode(errors='replace')[-4000:]}")


def await_ready(process: subprocess.Popen[bytes], ready: Callable[[], bool]) -> None:
    """Wait until `ready` says so; raises `RuntimeError` when the process ends or two minutes pass first."""
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"a server did not get ready: exit status {process.poll()}")
        time.sleep(0.01)


def answers(port: int, path: str) -> bool:
    """Whether a GET of the path on that port gives a 200."""
    try:
        return httpx2.get(f"http://127.0.0.1:{port}{path}", timeout=5, trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tree(pid: int) -> list[int]:
    """The process and all its descendants, but for those that end meanwhile. Reads `/proc`, so only on Linux."""
    found = [pid]
    for parent in found:
        with suppress(FileNotFoundError, ProcessLookupError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += [int(each) for each in (task / "children").read_text().split()]
    return found


def resident(pid: int) -> float:
    """Resident memory of the process and its descendants, in MB. Shared pages count once (PSS). Linux only."""
    kilobytes = 0
    for each in tree(pid):
        lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024
