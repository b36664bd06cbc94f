"""Many devices in one process: they learn together, some fail, some attack; and the suite that measures it."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidInput
from evals.federation import Trouble, scattered, simulate
from evals.suite import Options
from evals.suites.adult import TASK as ADULT
from evals.suites.adult import read_adult
from evals.suites.federated import TOLD, made_table, open_suite, plan_for
from tabular.federated.aggregate import settled
from tabular.federated.local import improve
from tabular.federated.model import accuracy
from tests.unit.tabular.federated.making import TASK, people, plan


def test_devices_together_learn_what_none_of_them_knows_though_some_fail_and_some_attack() -> None:
    rows, test = TASK.rows(people(4_000, 2)), TASK.rows(people(1_000, 3))
    devices = scattered(rows, 400, seed=1, alike=1.0)
    assert sum(map(len, devices)) == 4_000
    assert len({len(each) for each in devices}) > 10
    wanted = plan(population=400, rounds=30, rate=0.5, epochs=2, clip=0.5)
    calm = simulate(devices, wanted, 1.0, seed=4)
    rough = simulate(devices, wanted, 1.0, seed=4, trouble=Trouble(silent=0.3, poisoned=0.05))
    assert sum(rough.answered) < 0.85 * sum(calm.answered)
    guess = max(test.labels.mean(), 1 - test.labels.mean())
    assert accuracy(settled(calm.models), test) > guess + 0.15
    assert accuracy(settled(rough.models), test) > accuracy(settled(calm.models), test) - 0.05


def test_most_devices_attacking_do_win() -> None:
    # The clip bounds what each can do, and promises nothing against a majority.
    devices = scattered(TASK.rows(people(2_000, 2)), 200, seed=1, alike=1.0)
    wanted = plan(population=200, rounds=20, rate=0.5, epochs=2, clip=0.5)
    lost = simulate(devices, wanted, 1.0, seed=4, trouble=Trouble(poisoned=0.9))
    assert accuracy(settled(lost.models), TASK.rows(people(500, 3))) < 0.5


ADULT_ROW = {
    "age": "39",
    "workclass": "State-gov",
    "education": "Bachelors",
    "education-num": "13",
    "marital-status": "Never-married",
    "occupation": "Adm-clerical",
    "relationship": "Not-in-family",
    "capital-gain": "0",
    "capital-loss": "0",
    "hours-per-week": "40",
    "income-per-year": "<=50K",
}


@pytest.mark.parametrize("name", ["adult.csv", "adult.csv.gz"])
def test_a_table_of_the_layout_is_read(tmp_path: Path, name: str) -> None:
    opened = gzip.open if name.endswith(".gz") else open
    with opened(tmp_path / name, "wt") as file:
        file.write(",".join(ADULT_ROW) + "\n" + ", ".join(ADULT_ROW.values()) + "\n")
    assert read_adult(tmp_path) == [ADULT_ROW]
    [vector] = ADULT.rows(read_adult(tmp_path)).features
    assert (vector.sum(), (vector == 1).sum()) == (pytest.approx(vector[:6].sum() + 5), 6)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds 0 files"):
        read_adult(tmp_path)
    (tmp_path / "adult.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_adult(tmp_path)
    (tmp_path / "adult.csv.gz").write_bytes(gzip.compress(b"age,workclass\n"))
    with pytest.raises(InvalidInput, match="no rows"):
        read_adult(tmp_path)


def test_the_made_table_can_be_learned_and_guessing_does_worse() -> None:
    rows = made_table(2_000, seed=1)
    assert 0.3 < rows.labels.mean() < 0.7
    weights = improve(np.zeros(rows.features.shape[1]), rows, plan(epochs=5, rate=0.3), seed=1)
    assert accuracy(weights, rows) > 0.7


def test_everything_about_the_terms_follows_from_the_number_of_devices() -> None:
    wanted = plan_for(2_000)
    assert wanted.expected == 200
    assert wanted.delta < 1 / 2_000
    assert max(TOLD) == wanted.rounds


async def test_a_part_of_the_rows_is_no_suite() -> None:
    with pytest.raises(InvalidInput, match="read whole"):
        async with open_suite(Options(limit=5)):
            pass
