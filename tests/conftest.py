"""What every test shares."""

from __future__ import annotations

import gc

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
