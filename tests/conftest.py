"""What every test shares."""

from __future__ import annotations

from hypothesis import settings

# Time is measured in `evals/bench`, never in a test: a busy machine is no defect.
settings.register_profile("wayside", deadline=None)
settings.load_profile("wayside")
