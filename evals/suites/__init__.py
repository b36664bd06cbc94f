"""The suites, by name. A suite's module is imported when it is asked for."""

from __future__ import annotations

import pkgutil

from core.errors import InvalidInput
from evals.suite import OpenSuite

SUITES = {
    "retrieval": "evals.suites.retrieval:open_suite",
    "answering": "evals.suites.answering:open_suite",
    "routing": "evals.suites.routing:open_suite",
    "triage": "evals.suites.triage:open_suite",
    "student": "evals.suites.student:open_suite",
    "device": "evals.suites.device:open_suite",
    "modalities": "evals.suites.modalities:open_suite",
    "tools": "evals.suites.tools:open_suite",
    "reading": "evals.suites.reading:open_suite",
    "tasks": "evals.suites.tasks:open_suite",
    "speech": "evals.suites.speech:open_suite",
    "fraud": "evals.suites.fraud:open_suite",
    "drift": "evals.suites.drift:open_suite",
    "forecast": "evals.suites.forecast:open_suite",
    "recommend": "evals.suites.recommend:open_suite",
    "churn": "evals.suites.churn:open_suite",
    "fairness": "evals.suites.fairness:open_suite",
    "federated": "evals.suites.federated:open_suite",
    "receipts": "evals.suites.receipts:open_suite",
}

BY_TIME = frozenset({"fraud"})
"""The suites that split their data by time, and can be told from when."""


def find(name: str) -> OpenSuite:
    """Return what opens the suite. Raises `InvalidInput` for an unknown name."""
    if name not in SUITES:
        raise InvalidInput(f"no suite named {name!r}; there are: {', '.join(SUITES)}", param="suite")
    opener: OpenSuite = pkgutil.resolve_name(SUITES[name])
    return opener
