"""`wayside eval` keeps its run, and the API shows it: figures and report, byte for byte."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner

from app.workspace import TENANT
from core.types import Role
from evals.cli import command
from tests.fakes.gateway import gateway

MESSAGES = [
    {"text": "I was charged twice for ORD-10421", "category": "billing"},
    {"text": "The tent pole broke on the first night", "category": "product"},
    {"text": "Where is my parcel?", "category": "delivery", "priority": "normal"},
]


def run_eval(*arguments: str | Path) -> None:
    cli = typer.Typer()
    cli.command()(command)
    done = CliRunner().invoke(cli, [*map(str, arguments)])
    assert done.exit_code == 0, done.output


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    path = tmp_path / "messages.jsonl"
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in MESSAGES))
    return path


def test_a_run_is_kept_and_shown(tmp_path: Path, messages: Path) -> None:
    workspace, figures, report = tmp_path / "workspace", tmp_path / "figures.json", tmp_path / "report.html"
    run_eval("triage", "--data", messages, "--workspace", workspace, "--json", figures, "--html", report)
    flat = orjson.loads(figures.read_bytes())

    async def show() -> None:
        async with gateway(workspace) as served:
            served.keys["own"], _ = await served.parts.identity.create(TENANT, "own", Role.ENGINEER)
            (shown,) = (await served.call("GET", "/api/evals", role="own")).json()["data"]
            assert (shown["suite"], shown["data"], shown["cases"], shown["errors"]) == ("triage", messages.name, 3, 0)
            assert shown["facts"]["data"] == messages.name
            for name, metric in shown["metrics"].items():
                assert metric["value"] == flat[name]
                assert (metric["low"], metric["high"]) == (flat.get(f"{name}_low"), flat.get(f"{name}_high"))
            assert flat.keys() >= shown["metrics"].keys() >= {"category_accuracy", "category_ece"}
            page = await served.call("GET", f"/api/evals/{shown['id']}/report", role="own")
            assert page.content == report.read_bytes()
            assert (await served.call("GET", "/api/evals")).json()["data"] == []

    asyncio.run(show())


def test_a_run_need_not_be_kept(tmp_path: Path, messages: Path) -> None:
    run_eval("triage", "--data", messages, "--workspace", tmp_path / "none", "--no-store")
    assert not (tmp_path / "none").exists()
