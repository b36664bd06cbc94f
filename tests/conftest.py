"""What every test shares."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

# Time is measured in `evals/bench`, never in a test: a busy machine is no defect.
settings.register_profile("wayside", deadline=None)
settings.load_profile("wayside")


def pytest_collection_finish() -> None:
    """Leave what was imported out of every later collection: with torch there are millions of objects, all there to
    stay, and to look through them again and again would double the time of the whole suite.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def demo_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the demo company, to be copied: loading it takes a while, so that it is done once a run."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    place = root / "demo-company"
    with (root / "demo-company.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            # The whole program takes seconds to import, which tests without it do not wait for.
            from app.wiring import open_wayside
            from core.settings import Settings

            async def furnish() -> None:
                async with open_wayside(Settings(workspace=making, null_engine=True)):
                    pass

            making = root / "demo-company.making"
            asyncio.run(furnish())
            making.rename(place)
    return place
