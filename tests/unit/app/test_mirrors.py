from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.mirrors import open_mirror
from core.database import Database
from core.errors import MissingExtra
from core.mirror import NullMirror
from core.registry import Registry
from core.settings import RegistrySettings
from core.versions import Alias, Mode, Plan, Standing, Version
from tests.fakes.candidates import MODEL, candidate


class Remembering:
    """A mirror that remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[int | None, int | None, list[int]]] = []

    async def show(self, standing: Standing, versions: Sequence[Version]) -> None:
        self.shown.append((standing.champion, standing.challenger, [each.number for each in versions]))


async def test_every_change_is_shown_when_it_has_been_stored(tmp_path: Path, template: Path) -> None:
    path = tmp_path / "wayside.db"
    shutil.copy(template, path)
    database = Database(f"sqlite+aiosqlite:///{path}")
    mirror = Remembering()
    registry = Registry.of(database, tmp_path, mirror)
    for content in ("one", "two"):
        await registry.register(candidate(tmp_path, content), "local:ada")
    await registry.promote(MODEL, 1, "key_1", "first")
    await registry.challenge(MODEL, 2, Plan(Mode.SHADOW), "key_1", "try")
    await registry.rollback(MODEL, Alias.CHALLENGER, "key_1", "no")
    assert mirror.shown == [
        (None, None, [1]),
        (None, None, [2, 1]),
        (1, None, [2, 1]),
        (1, 2, [2, 1]),
        (1, None, [2, 1]),
    ]
    await database.close()


def test_without_a_tracking_server_there_is_no_mirror() -> None:
    assert isinstance(open_mirror(RegistrySettings()), NullMirror)


def test_a_missing_package_is_named_with_the_command() -> None:
    with pytest.raises(MissingExtra, match=r"\.\[mlflow\]"):
        open_mirror(RegistrySettings(mlflow_url="http://127.0.0.1:5000"), lambda package: False)
