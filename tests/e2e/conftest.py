"""One server with the demo company for all end-to-end tests: loading it takes a while."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.modelstore import ModelStore
from core.settings import Settings
from tests.e2e.server import Server, serving


@pytest.fixture(scope="session")
def models() -> None:
    """Pull the default models where they are missing."""
    settings = Settings()
    for name in (settings.embedded.model, settings.embedding_model):
        ModelStore().pull(name)


@pytest.fixture(scope="session")
def demo_server(tmp_path_factory: pytest.TempPathFactory, models: None) -> Iterator[Server]:
    """A real server on the demo company, with the embedded engine."""
    with serving(tmp_path_factory.mktemp("demo") / "workspace") as server:
        yield server
