"""`wayside tabular check` and `train`: an unfair model is stopped, and a fairer one served."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.demo.tables import applicants, write_table
from app.tasks.served import ServedTasks
from core.database import Database
from core.errors import WaysideError
from core.registry import Registry
from core.versions import Alias
from tabular.tasks.income import INCOME
from tests.integration.test_tabular_command import tabular


async def check(*arguments: str) -> tuple[int, str]:
    """The command in a thread of this process."""
    done = await asyncio.to_thread(CliRunner(env={"COLUMNS": "300"}).invoke, cli, ["tabular", "check", *arguments])
    return done.exit_code, done.exception.message if isinstance(done.exception, WaysideError) else done.output


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_table(applicants(), tmp_path_factory.mktemp("tables") / "applicants.csv")


async def test_an_unfair_model_is_stopped_whoever_promotes_it_and_a_fairer_one_is_served(
    table: Path, tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace"
    train = ["train", "income", "--data", str(table), "--promote"]
    code, said = await tabular(workspace, *train)
    assert code == 1
    assert "fairness/sex/selection-ratio is" in said
    assert "must be at least 0.8" in said
    database = Database(f"sqlite+aiosqlite:///{workspace / 'wayside.db'}")
    try:
        registry = Registry.of(database, workspace)
        assert (await registry.standing("income")).champion is None
        tasks = ServedTasks(registry)
        code, said = await tabular(workspace, *train, "--even")
        assert code == 0, said
        assert "fairness/sex/selection-ratio: 0." in said
        assert ", limit 0.8" in said
        assert "registered as income 2" in said
        assert (await registry.standing("income")).champion == 2
        first, second = [(await registry.version("income", number)).metrics for number in (1, 2)]
        history = await registry.history("income")
        assert [each.action for each in history] == ["register", "refuse", "register", "promote"]
        ratio = "fairness/sex/selection-ratio"
        assert first[ratio].interval.value < 0.6 < 0.8 <= second[ratio].interval.value
        # What it cost is told.
        assert second["test/auc"].interval.value < first["test/auc"].interval.value
        assert "weighed against biased labels" in (await registry.version("income", 2)).card
        await tasks.refresh()
        names = {each.name for each in INCOME.features}
        rows = [{name: value for name, value in row.items() if name in names} for row in applicants(50)]
        model, scored = await tasks.score("income", rows)
        assert len({each.probability for each in scored}) > 20
        assert all(each.reasons for each in scored)
        assert len(model) == 64
        await registry.rollback("income", Alias.CHAMPION, "local:ada", "complaints")
    finally:
        await database.close()


async def test_a_table_is_checked_and_nothing_is_lost(tmp_path: Path) -> None:
    rows = applicants(300)
    rows[3]["age"] = "seven"
    rows[5]["education-num"] = "40"
    file = write_table(rows, tmp_path / "applicants.csv")
    card = tmp_path / "card.json"
    code, said = await check("income", str(file), "--json", str(card))
    assert code == 1
    assert "2 rows were set aside" in said
    assert "298 sound rows" in said
    assert "relationship gives away sex" in said
    assert orjson.loads(card.read_bytes())["rejected"] == 2
    rejected = (tmp_path / "applicants.rejected.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in rejected[1:]] == [["5", "age"], ["7", "education-num"]]


async def test_what_does_not_go_together_is_said(table: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    assert "name it with --data" in (await tabular(workspace, "train", "churn"))[1]
    assert "has no column" in (await tabular(workspace, "train", "churn", "--data", str(table)))[1]
    assert (
        "fraud is learned from the workspace" in (await tabular(workspace, "train", "fraud", "--data", str(table)))[1]
    )
    assert "There is no task 'weather'" in (await check("weather", str(table)))[1]
