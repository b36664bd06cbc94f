"""The grown-up set is what the settings understand, and every file that it mounts is there."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def test_the_image_has_every_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {each.rstrip("*") for each in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    copied = re.findall(r"^COPY (\w+) \1$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert packages
    assert {*packages, "migrations"} == set(copied)


def test_it_has_the_services(compose: dict[str, Any]) -> None:
    wanted = {"gateway", "qdrant", "postgres", "redis", "nats", "prometheus", "grafana", "vllm"}
    assert set(compose["services"]) == wanted
    assert compose["services"]["vllm"]["profiles"] == ["vllm"]


def test_the_gateway_understands_its_environment(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in compose["services"]["gateway"]["environment"].items():
        # What compose would leave when nobody sets the variable.
        monkeypatch.setenv(name, value.split(":-")[1].rstrip("}") if value.startswith("${") else value)
    settings = Settings(workspace=tmp_path)
    assert str(settings.qdrant_url) == "http://qdrant:6333/"
    assert settings.database_dsn.startswith("postgresql+asyncpg://")
    assert settings.engine.url is None


def test_what_it_mounts_is_there(compose: dict[str, Any]) -> None:
    mounts = [each for service in compose["services"].values() for each in service.get("volumes", ())]
    made_by_hand = {"./ops/metrics.key"}
    files = {each.split(":")[0] for each in mounts if each.startswith("./")} - made_by_hand
    assert files and all((ROOT / file).is_file() for file in files)
    named = {each.split(":")[0] for each in mounts if not each.startswith("./")}
    assert named == set(compose["volumes"])


def test_the_dashboard_asks_for_metrics_that_exist() -> None:
    source = (ROOT / "app" / "metrics.py").read_text()
    board = json.loads((ROOT / "ops" / "grafana" / "wayside.json").read_text())
    asked = " ".join(target["expr"] for panel in board["panels"] for target in panel["targets"])
    names = set(re.findall(r"wayside_\w+", asked))
    assert names
    for name in names:
        stem = name.removesuffix("_bucket").removesuffix("_count").removesuffix("_total")
        assert f'"{stem}"' in source, name
