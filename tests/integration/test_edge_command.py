"""`wayside edge` as its users run it: from the keys over the recipe to a device, against a server of the workspace."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
from typer.testing import CliRunner, Result

from app.cli import cli
from app.workspace import KEY_FILE, announced, shelf
from core.errors import BundleTruncated, InvalidInput, NotFound, UnknownSigner, WaysideError
from core.ports import IndexedPassage
from core.types import Audience, Passage
from edge.archive import unpack
from edge.installing import Device
from edge.shelf import Shelf
from edge.signing import TrustFile
from retrieval.snapshot import read_card
from tests.fakes.bundles import signer
from tests.fakes.gateway import TENANT, gateway, listening

RECIPE = """
name = "assistant"
[[artefact]]
id = "chat"
kind = "gguf"
path = "chat.gguf"
licence = "Apache-2.0"
peak_memory = 1_000
card.tools_exact = { value = 0.9, low = 0.8, high = 0.95 }
[snapshot]
licence = "proprietary"
peak_memory = 1_000
"""


async def edge(*arguments: str | Path) -> Result:
    return await asyncio.to_thread(lambda: CliRunner().invoke(cli, ["edge", *map(str, arguments)]))


async def done(*arguments: str | Path) -> str:
    result = await edge(*arguments)
    assert result.exit_code == 0, (arguments, result.exception, result.stderr)
    # The server of this test is in this process, and logs to the same output.
    return "\n".join(line for line in result.stdout.splitlines() if "[info " not in line)


async def refused(error: type[WaysideError], told: str, *arguments: str | Path) -> str:
    """The command is refused with this error; what it said before is returned."""
    result = await edge(*arguments)
    assert isinstance(result.exception, error), (arguments, result.exception)
    assert told in str(result.exception)
    return result.stderr


async def test_from_a_recipe_to_a_device(tmp_path: Path) -> None:
    workspace, device, trust = tmp_path / "workspace", tmp_path / "device", tmp_path / "trust.json"
    workspace.mkdir()
    recipe = tmp_path / "bundle.toml"
    recipe.write_text(RECIPE)
    (tmp_path / "chat.gguf").write_bytes(b"a model" * 1000)
    own = ("--workspace", workspace)
    async with gateway(workspace) as served, listening(served) as url:
        (workspace / KEY_FILE).write_text(served.keys["admin"])
        document = await served.parts.documents.add(TENANT, "returns", b"x")
        passage = Passage(document.id, "Returns", (), "A tent can be returned.", 0, 23, 0)
        vector = np.array([1, 0, 0, 0], np.float32)
        item = IndexedPassage(passage, {"text": vector})
        await served.parts.index.replace(TENANT, document.id, Audience.PUBLIC, [item])
        with announced(workspace, url):
            await refused(NotFound, "edge keys new", "build", recipe, "--tenant", TENANT, *own)
            first = await done("keys", "new", *own)
            trust.write_text(await done("keys", "export", *own))
            told = await done("build", recipe, "--tenant", TENANT, *own)
            assert told.startswith("assistant 1: 2 artefacts")
            assert list((workspace / "edge" / "snapshots").iterdir()) == []
            pull = ("pull", url, "--device", device, "--tenant", TENANT, "--memory", "2000", *own)
            told = await done(*pull, "--trust", trust)
            assert told.startswith("assistant 1 is in use")
            unpack(Device(device)._folder / "assistant" / "1" / "knowledge.zip", tmp_path / "opened")
            assert read_card(tmp_path / "opened").passages == 1
            # A key that new devices never saw, a better model: only what is new is fetched.
            second = await done("keys", "rotate", "--revoke", *own)
            (tmp_path / "chat.gguf").write_bytes(b"a better model" * 1000)
            await done("build", recipe, "--tenant", TENANT, *own)
            assert (await done(*pull, "assistant")).startswith("assistant 2 is in use")
            assert Device(device).trust.revoked == {first}
            assert set(Device(device).trust.keys) == {second}
            assert await done("roll-back", "assistant", "--device", device) == "assistant 1 is in use"
            listed = await done("list", "--tenant", TENANT, *own)
            assert "chat, knowledge" in listed
            # Nothing fits a device with less memory, and it is told why.
            why = await refused(NotFound, "no bundle fits", *pull, "--memory", "1999")
            assert "not assistant: it takes 0.0 MB of memory" in why.replace("\n", " ")
    folder = Shelf(shelf(workspace)).get(TENANT, "assistant").folder
    assert await done("verify", folder, *own) == "assistant 2 holds: signed, and 2 artefacts are whole"
    # Who trusts the first key learns of the second from the bundle; a stranger does not.
    assert (await done("verify", folder, "--trust", trust)).startswith("assistant 2 holds")
    trust.write_text(TrustFile(keys=(signer().public,)).model_dump_json())
    await refused(UnknownSigner, second, "verify", folder, "--trust", trust)
    trust.write_text("{}")
    await refused(InvalidInput, "keys", "verify", folder, "--trust", trust)
    (folder / "chat.gguf").write_bytes(b"another model")
    await refused(BundleTruncated, "chat", "verify", folder, *own)
