"""How other MCP servers are set: in the file, in the environment, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from core.mcp import McpServerSettings, McpSettings
from core.settings import Settings


def test_a_secret_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wayside.toml").write_text(
        '[mcp.servers.crm]\ntenant = "default"\nurl = "https://crm.example/mcp"\n'
        'headers = {Authorization = "Bearer {secret}"}\ntools = ["find_deal"]\n'
    )
    monkeypatch.setenv("WAYSIDE_MCP__SERVERS__CRM__SECRET", "s3cret")
    crm = Settings(workspace=tmp_path).mcp.servers["crm"]
    assert crm.revealed(crm.headers) == {"Authorization": "Bearer s3cret"}
    assert "s3cret" not in repr(crm)
    assert (crm.tools, crm.read_only, crm.idempotent) == (("find_deal",), "hinted", "hinted")


@pytest.mark.parametrize(
    "given",
    [
        {"tenant": "default"},
        {"url": "https://crm.example/mcp"},
        {"tenant": "default", "url": "https://crm.example/mcp", "command": "crm"},
        {"tenant": "default", "url": "ftp://crm.example"},
        {"tenant": "default", "url": "https://crm.example", "args": ["x"]},
        {"tenant": "default", "command": "crm", "headers": {"a": "b"}},
        {"tenant": "default", "command": "crm", "secret": "x"},
        {"tenant": "default", "command": "crm", "env": {"KEY": "{secret}"}},
        {"tenant": "default", "command": "crm", "idempotent": True},
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        McpServerSettings.model_validate(given)


@pytest.mark.parametrize("name", ["CRM", "c__rm", "_crm", "crm_", "1crm", "c rm", "c" * 25])
def test_a_name_keeps_its_tools_apart(name: str) -> None:
    with pytest.raises(ValidationError):
        McpSettings.model_validate({"servers": {name: {"tenant": "default", "command": "crm"}}})
