"""`wayside audit verify` as its user runs it, against a server of the workspace."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE
from pathlib import Path

from sqlalchemy import update

from app.workspace import KEY_FILE, announced
from core.audit import Audit, AuditRow, Entry
from tests.e2e.server import ROOT, command
from tests.fakes.gateway import TENANT, gateway, listening


async def verify(workspace: Path, *arguments: str) -> tuple[int | None, str, str]:
    line = command("audit", "verify", "--workspace", str(workspace), *arguments)
    process = await asyncio.create_subprocess_exec(*line, cwd=ROOT, stdout=PIPE, stderr=PIPE)
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


async def test_the_command_says_whether_the_chain_holds(tmp_path: Path) -> None:
    async with gateway(tmp_path) as served, listening(served) as url:
        (tmp_path / KEY_FILE).write_text(served.keys["admin"])
        audit = Audit(served.parts.database)
        recorded = [await audit.append(TENANT, Entry("key_a1", "x", "y/1", {"n": each})) for each in range(3)]
        with announced(tmp_path, url):
            said = f"3 entries hold; the last has the hash {recorded[-1].hash}\n"
            assert await verify(tmp_path, "--known", recorded[0].hash) == (0, said, "")
            async with served.parts.database.session() as session:
                await session.execute(update(AuditRow).where(AuditRow.number == 2).values(hash="0" * 64))
            code, output, errors = await verify(tmp_path)
            assert (code, output) == (1, f"1 entries hold; the last has the hash {recorded[0].hash}\n")
            assert errors == "entry 2 is broken: its content is not what its hash was made of\n"
