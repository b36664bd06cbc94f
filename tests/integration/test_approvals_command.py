"""`wayside approvals` as its user runs it, against a server of the workspace."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE
from pathlib import Path

from app.workspace import KEY_FILE, announced
from core.types import Role
from tests.e2e.server import ROOT, command
from tests.fakes.company import CUSTOMERS, make_company
from tests.fakes.gateway import TENANT, gateway, listening


async def approvals(workspace: Path, *arguments: str) -> tuple[int | None, str, str]:
    line = command("approvals", *arguments, "--workspace", str(workspace))
    process = await asyncio.create_subprocess_exec(
        *line, cwd=ROOT, stdout=PIPE, stderr=PIPE, env={"COLUMNS": "300", "PATH": ""}
    )
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


async def test_the_command_lists_and_decides(tmp_path: Path) -> None:
    async with gateway(tmp_path) as served, listening(served) as url:
        served.parts.companies[TENANT] = make_company()
        secret, _ = await served.parts.identity.create(TENANT, "c", Role.CLIENT, customer_id=CUSTOMERS[0])
        served.keys["customer"] = secret
        (tmp_path / KEY_FILE).write_text(served.keys["admin"])
        body = {"sku": "SKU-0001", "quantity": 56}
        waits = (await served.call("POST", "/api/purchase-orders", role="staff", json=body)).json()
        with announced(tmp_path, url):
            code, output, _ = await approvals(tmp_path, "list", "--status", "pending")
            assert (code, waits["id"] in output, "above the limit of 500.00" in output) == (0, True, True)
            edit = ("decide", waits["id"], "edit", "--arguments")
            code, _, errors = await approvals(tmp_path, *edit, "no json")
            assert (code, errors.startswith("invalid_input: the arguments are not JSON")) == (1, True)
            done = await approvals(tmp_path, *edit, '{"sku": "SKU-0001", "quantity": 60}')
            assert done == (0, f"{waits['id']} is approved, effect done\n", "")
        assert served.parts.companies[TENANT].purchase_orders["PO-00001"].lines[0].quantity == 60
