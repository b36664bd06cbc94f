"""The workspace folder: who owns it, where its server listens, and the first key."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import WorkspaceInUse
from core.identity import Identity
from core.types import Role

TENANT = "default"
KEY_FILE = "admin.key"
ADMIN_REQUESTS = 100_000
_SERVER_FILE = "server.json"
_LOCK_FILE = "lock"


def own_weights(workspace: Path) -> Path:
    """The folder of what the workspace's own feedback taught: `<head>.npz`, in place of the repository's."""
    return workspace / "routing"


def signing_keys(workspace: Path) -> Path:
    """The folder of the keys that bundles for devices are signed with; readable by its owner only."""
    return workspace / "edge" / "keys"


def shelf(workspace: Path) -> Path:
    """The folder of the bundles that the gateway offers to devices."""
    return workspace / "edge" / "shelf"


def snapshot_folder(workspace: Path) -> Path:
    """The folder of knowledge snapshots that are not in a bundle yet."""
    return workspace / "edge" / "snapshots"


@contextmanager
def owning(workspace: Path) -> Iterator[None]:
    """Own the workspace while the block runs; the kernel lets go of it when the process dies, however it dies.

    Raises `WorkspaceInUse` when another process owns it.
    """
    workspace.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (workspace / _LOCK_FILE).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorkspaceInUse(f"another process owns the workspace {workspace}") from None
        yield


@contextmanager
def announced(workspace: Path, url: str) -> Iterator[None]:
    """Tell the command line where this workspace's server listens, while the block runs."""
    announcement = workspace / _SERVER_FILE
    # Renamed into its place when it is whole, for it is looked for all the time.
    written = announcement.with_suffix(".new")
    written.write_text(json.dumps({"url": url, "pid": os.getpid()}))
    written.replace(announcement)
    try:
        yield
    finally:
        announcement.unlink(missing_ok=True)


def server_url(workspace: Path) -> str | None:
    """Where the workspace's server said that it listens, if one said so and its process still lives."""
    try:
        announcement = json.loads((workspace / _SERVER_FILE).read_text())
        os.kill(announcement["pid"], 0)
    except (FileNotFoundError, ProcessLookupError):
        return None
    except PermissionError:
        pass  # It lives, and belongs to another user.
    return str(announcement["url"])


async def first_key(workspace: Path, identity: Identity) -> bool:
    """Make the admin's key if the workspace has none yet; returns whether it did.

    There is no open default: the key is random, and its file can be read by its owner only.
    """
    path = workspace / KEY_FILE
    if path.exists():
        return False
    # The command line works with this key, and a folder of documents is hundreds of requests in a minute.
    secret, _ = await identity.create(TENANT, "admin", Role.ADMIN, requests_per_minute=ADMIN_REQUESTS)
    partial = path.with_suffix(".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret + "\n")
    partial.replace(path)
    return True


def admin_key(workspace: Path) -> str:
    """The admin's key as the workspace keeps it. Raises `FileNotFoundError` before the first start."""
    return (workspace / KEY_FILE).read_text().strip()
