"""A table of made-up subscribers, and the model that is trained on it, once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.demo.tables import subscribers, write_table
from tabular.tasks.churn import CHURN
from tabular.tasks.schema import Table, read_table
from tabular.tasks.training import Trained, train


@pytest.fixture(scope="session")
def churn_table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    path: Path = write_table(subscribers(), tmp_path_factory.mktemp("churn") / "churn.csv")
    return read_table(path, CHURN)


@pytest.fixture(scope="session")
def churn(churn_table: Table) -> Trained:
    return train(CHURN, churn_table)
