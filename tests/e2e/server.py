"""A real `wayside serve` in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from openai import OpenAI

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is ready."""

    process: subprocess.Popen[bytes]
    workspace: Path
    url: str
    key: str

    def openai(self, customer: str | None = None) -> OpenAI:
        """The official client, as an app would make it: the admin's, or a customer's with a key of their own."""
        key = self.key
        if customer is not None:
            with self.http() as http:
                asked = {"name": "phone", "role": "client", "customer_id": customer}
                key = str(http.post("/api/keys", json=asked).raise_for_status().json()["key"])
        return OpenAI(base_url=f"{self.url}/v1", api_key=key)

    def http(self) -> httpx2.Client:
        """A plain client that carries the admin's key."""
        headers = {"authorization": f"Bearer {self.key}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=120, trust_env=False)


def command(*arguments: str) -> list[str]:
    """The command line `wayside …` under this interpreter."""
    return [sys.executable, "-c", "from app.cli import main; main()", *arguments]


@contextmanager
def serving(workspace: Path, **environment: str) -> Iterator[Server]:
    """Serve the workspace on a free port until the block ends; then stop as Ctrl-C would."""
    log = (workspace.parent / f"{workspace.name}.log").open("ab")
    process = subprocess.Popen(
        command("serve", "--port", "0", "--workspace", str(workspace)),
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=log,
        stderr=log,
    )
    try:
        url = _await_url(process, workspace, Path(log.name))
        yield Server(process, workspace, url, (workspace / "admin.key").read_text().strip())
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        log.close()


def _await_url(process: subprocess.Popen[bytes], workspace: Path, log: Path) -> str:
    announcement = workspace / "server.json"
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}:\n{log.read_text()[-4000:]}")
        if announcement.exists() and json.loads(announcement.read_text() or "{}").get("pid") == process.pid:
            url = str(json.loads(announcement.read_text())["url"])
            try:
                if httpx2.get(f"{url}/readyz", timeout=5, trust_env=False).is_success:
                    return url
            except httpx2.TransportError:
                pass
        time.sleep(0.1)
    raise AssertionError(f"the server was not ready in time:\n{log.read_text()[-4000:]}")
