"""`wayside models` as an engineer runs it: registering beside a server, deciding through it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from app.cli import cli
from app.workspace import KEY_FILE, TENANT, announced
from core.errors import WaysideError
from core.types import Role
from tests.fakes.gateway import gateway, listening


async def models(workspace: Path, *arguments: str) -> tuple[int, str, str]:
    """The command in a thread of this process, since a dozen interpreters would take a minute to start.

    While it runs, what the server logs lands in its output too: lines that begin with the year are left out.
    """
    runner = CliRunner(env={"COLUMNS": "300"})
    line = ["models", *arguments, "--workspace", str(workspace)]
    done = await asyncio.to_thread(runner.invoke, cli, line)
    output = "".join(line for line in done.stdout.splitlines(keepends=True) if not line.startswith("20"))
    refused = done.exception
    if isinstance(refused, WaysideError):
        return done.exit_code, output, f"{refused.code}: {refused.message}"
    assert refused is None or isinstance(refused, SystemExit), refused
    return done.exit_code, output, done.stderr


def evaluated(path: Path, exact: float, **more: Any) -> Path:
    figures = {"exact": exact, "exact_low": exact - 0.02, "exact_high": exact + 0.02, "wer": 0.1, "wer_low": 0.08}
    path.write_text(json.dumps({**figures, "wer_high": 0.12, "p50_ms": 12.5, "cases": 200, "errors": 0, **more}))
    return path


def registering(folder: Path, content: str, evaluation: Path) -> list[str]:
    file = folder / "adapter.gguf"
    file.write_text(content)
    made_of = ("--data", "d" * 64, "--recipe", "r" * 64, "--code", "abc1234", "--base", "b" * 64)
    measured = ("--evaluation", f"tools={evaluation}", "--lower", "tools/wer")
    return ["register", "house-adapter", str(file), "--kind", "adapter", *made_of, *measured]


async def test_from_a_file_to_the_champion_and_back(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (tmp_path / "workspace").mkdir()
    workspace = tmp_path / "workspace"
    async with gateway(workspace) as served, listening(served) as url:
        secret, _ = await served.parts.identity.create(TENANT, "admin", Role.ADMIN)
        (workspace / KEY_FILE).write_text(secret)
        with announced(workspace, url):
            good, bad = evaluated(files / "good.json", 0.86), evaluated(files / "bad.json", 0.60)
            for content, evaluation in (("one", good), ("two", good), ("three", bad)):
                code, output, errors = await models(workspace, *registering(files, content, evaluation))
                assert (code, errors) == (0, ""), errors
            assert output == "house-adapter 3 is registered\n"
            again = await models(workspace, *registering(files, "three", good))
            assert again == (0, "house-adapter 3 is registered; known, as it was measured then\n", "")
            failed = evaluated(files / "failed.json", 0.9, errors=2)
            code, _, errors = await models(workspace, *registering(files, "four", failed))
            assert (code, "2 cases ended in an error" in errors) == (1, True)

            code, output, _ = await models(workspace, "promote", "house-adapter", "1", "--why", "the first")
            assert (code, output.splitlines()[-1]) == (0, "house-adapter 1 is the champion")
            code, _, errors = await models(workspace, "promote", "house-adapter", "3", "--why", "hope")
            assert code == 1
            assert errors.startswith("promotion_refused: house-adapter 3 is not promoted: tools/exact is worse: 0.6")
            tried = ("challenge", "house-adapter", "2", "--mode", "canary", "--percent", "10", "--why", "see")
            assert await models(workspace, *tried) == (0, "house-adapter 2 is the challenger, as a canary\n", "")
            code, output, _ = await models(workspace, "versions", "house-adapter")
            shown = [line.split("│")[1:3] for line in output.splitlines() if "tools/exact" in line]
            assert [[cell.strip() for cell in row] for row in shown] == [
                ["3", ""],
                ["2", "challenger"],
                ["1", "champion"],
            ]
            ended = ("rollback", "house-adapter", "--alias", "challenger", "--why", "enough")
            assert await models(workspace, *ended) == (0, "house-adapter has no challenger now\n", "")
            code, output, _ = await models(workspace, "history", "house-adapter")
            assert code == 0
            assert [word in output for word in ("the first", "hope", "refuse champion", "enough")] == [True] * 4
            code, output, _ = await models(workspace, "show", "house-adapter", "1")
            assert [word in output for word in ("tools/p50_ms", "lower", "b" * 64, "adapter.gguf")] == [True] * 4
