"""One server with the demo company for all end-to-end tests: loading it takes a while."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from core.modelstore import ModelStore
from core.settings import Settings
from tests.e2e import server
from tests.e2e.browser import DESK, Visit, Visiting, chromium
from tests.e2e.server import Server
from tests.fakes.console_api import ConsoleApi
from tests.fakes.console_routes import serving


@pytest.fixture(scope="session")
def models() -> None:
    """Pull the default models where they are missing."""
    settings = Settings()
    for name in (settings.embedded.model, settings.embedding_model):
        ModelStore().pull(name)


@pytest.fixture(scope="session")
def demo_server(tmp_path_factory: pytest.TempPathFactory, models: None, demo_workspace: Path) -> Iterator[Server]:
    """A real server on the demo company, with the embedded engine."""
    workspace = shutil.copytree(demo_workspace, tmp_path_factory.mktemp("demo") / "workspace")
    with server.serving(workspace) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium a module: its driver's event loop must not outlive it, or asynchronous tests after it fail."""
    with chromium() as running:
        yield running


@pytest.fixture
def api() -> Iterator[ConsoleApi]:
    """The fake API, served at `api.url`."""
    made = ConsoleApi()
    with serving(made) as made.url:
        yield made


@pytest.fixture
def visiting(browser: Browser, api: ConsoleApi) -> Iterator[Visiting]:
    """Opens windows on the console; what was wrong in any of them fails the test at its end."""
    made: list[Visit] = []

    def visit(size: tuple[int, int] = DESK, **options: Any) -> Visit:
        made.append(Visit(browser, api.url, size, **options))
        return made[-1]

    yield visit
    problems = [problem for each in made for problem in each.close()]
    assert not problems, "\n".join(problems)
