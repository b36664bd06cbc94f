"""`wayside tabular`: history in, a model out, and a running gateway that takes it up."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.champions import keep
from app.cli import cli
from app.fraud.served import MODEL, ServedFraud
from app.workspace import TENANT
from core.database import Database
from core.errors import CorruptArtefact, InvalidInput, WaysideError
from core.registry import Registry
from core.settings import FraudSettings
from core.versions import Kind
from tabular.fraud.events import DAY, Transaction
from tabular.fraud.live import LiveFraud
from tests.fakes.candidates import candidate
from tests.unit.tabular.fraud.making import made

HEAD = "id,at,card,terminal,amount,fraud"


async def tabular(workspace: Path, *arguments: str) -> tuple[int, str]:
    """The command in a thread of this process."""
    line = ["tabular", *arguments, "--workspace", str(workspace)]
    done = await asyncio.to_thread(CliRunner(env={"COLUMNS": "300"}).invoke, cli, line)
    if isinstance(done.exception, WaysideError):
        return 1, done.exception.message
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output.strip()


def history_file(path: Path, *, count: int = 6_000, days: int = 130) -> Path:
    """Made transactions until a day ago, in a CSV file."""
    begin = datetime.now(UTC) - timedelta(days=days + 1)
    first = made(count, days)[0][0].at
    lines = [HEAD]
    for each, fraud in made(count, days):
        at = begin + timedelta(milliseconds=each.at - first)
        lines.append(f"{each.id},{at.isoformat()},{each.card},{each.terminal},{each.cents / 100:.2f},{int(fraud)}")
    path.write_text("\n".join(lines) + "\n")
    return path


async def test_from_a_file_to_decisions_with_reasons(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    file = history_file(tmp_path / "history.csv")
    assert await tabular(workspace, "import", str(file)) == (
        0,
        "6,000 transactions were appended, 0 were known",
    )
    # Stopped and begun again, nothing comes twice.
    assert (await tabular(workspace, "import", str(file)))[1] == "0 transactions were appended, 6,000 were known"
    code, said = await tabular(workspace, "train", "fraud", "--promote")
    assert code == 0, said
    assert "forward/average-precision" in said
    assert "registered as fraud 1" in said
    database = Database(f"sqlite+aiosqlite:///{workspace / 'wayside.db'}")
    try:
        served = ServedFraud(database, Registry.of(database, workspace), FraudSettings(), TENANT)
        assert served.scorer(TENANT).judge is None
        await served.refresh()
        live = LiveFraud(database, served.scorer)
        moment = int(datetime.now(UTC).timestamp() * 1000)
        calm = Transaction("N1", moment - DAY, "C3", "P9", 2_500)
        wild = Transaction("N2", moment, "C3", "P9", 250_000)
        low, high = await live.score_all(TENANT, [calm, wild])
        assert low.decision.probability is not None
        assert high.decision.probability is not None
        assert high.decision.probability > low.decision.probability
        judge = served.scorer(TENANT).judge
        assert judge is not None
        # It was learned from this tenant's payments, and judges nobody else's.
        assert served.scorer("neighbour").judge is None
        assert high.decision.model == judge.sha256
        assert any("amount" in each.text for each in high.decision.reasons)
        assert (await Registry.of(database, workspace).standing(MODEL)).champion == 1
    finally:
        await database.close()


async def test_lines_that_are_not_sound_come_out_with_their_reason(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    good = "A1,2026-01-01T00:00:00Z,C1,P1,10.00,0"
    wrong = {
        "A2,2026-01-01T00:00:00,C1,P1,10.00,0": "at",
        "A3,2026-01-01T00:00:00Z,C1,P1,10.001,0": "amount",
        "A4,2026-01-01T00:00:00Z,C1,P1,10.00,perhaps": "fraud",
        "A1,2026-01-02T00:00:00Z,C1,P1,10.00,0": "line 2 has it already",
        "A5,2026-01-01T00:00:00Z,C1,P1": "amount",
    }
    file.write_text("\n".join([HEAD, good, *wrong]) + "\n")
    code, said = await tabular(tmp_path / "workspace", "import", str(file))
    assert (code, "5 lines were not taken" in said, "1 transactions were appended" in said) == (1, True, True)
    rejected = (tmp_path / "history.rejected.csv").read_text().splitlines()
    assert rejected[0] == f"line,wrong,{HEAD}"
    for line, (number, word) in zip(rejected[1:], enumerate(wrong.values(), start=3), strict=True):
        assert line.startswith(f"{number},")
        assert word in line


async def test_a_file_as_spreadsheets_write_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    file.write_text(f"{HEAD}\r\nA1,2026-01-01T00:00:00Z,C1,P1,10.00,0\r\n", encoding="utf-8-sig")
    assert (await tabular(tmp_path / "workspace", "import", str(file)))[1].startswith("1 transactions were appended")


async def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    file = tmp_path / "history.csv"
    file.write_text("id,at\n1,2\n")
    assert "no column amount, card, fraud, terminal" in (await tabular(workspace, "import", str(file)))[1]
    file.write_bytes(b"\xff\xfe")
    assert "cannot be read" in (await tabular(workspace, "import", str(file)))[1]
    assert "either a file or --demo" in (await tabular(workspace, "import"))[1]
    assert "0 frauds are known" in (await tabular(workspace, "train", "fraud"))[1]
    assert "no model 'weather'" in (await tabular(workspace, "train", "weather"))[1]
    assert "either a file or --demo" in (await tabular(workspace, "import", "--demo", "--purchases"))[1]
    none = "0 purchases were appended, 0 were known, 0 withdrawn"
    assert await tabular(workspace, "import", "--purchases") == (0, none)
    assert "the log has no purchases" in (await tabular(workspace, "train", "recommend"))[1]


@pytest.mark.parametrize(("kind", "wrong"), [(Kind.TABULAR, CorruptArtefact), (Kind.GGUF, InvalidInput)])
async def test_a_champion_that_cannot_be_taken_up_is_told_and_changes_nothing(
    database: Database, tmp_path: Path, kind: Kind, wrong: type[Exception]
) -> None:
    registry = Registry.of(database, tmp_path)
    served = ServedFraud(database, registry, FraudSettings(most_cents=7), TENANT)
    version = await registry.register(candidate(tmp_path / "new", model=MODEL, kind=kind), "local:ada")
    await registry.promote(MODEL, version.number, "local:ada", "because")
    with pytest.raises(wrong):
        await served.refresh()
    assert (served.scorer(TENANT).judge, served.scorer(TENANT).rules.most_cents) == (None, 7)
    # The gateway goes on looking, and does not say the same again every time.
    looking = asyncio.create_task(keep([served], 0.01))
    await asyncio.sleep(0.2)
    assert not looking.done()
    looking.cancel()
    await asyncio.wait({looking})


async def test_a_look_that_is_under_way_is_not_cut_off(database: Database, tmp_path: Path) -> None:
    # A connection that is being opened when its task is cancelled is never closed, and whoever closes the pool waits.
    begun, go_on, steps = asyncio.Event(), asyncio.Event(), list[str]()

    class Slow(ServedFraud):
        async def refresh(self) -> None:
            begun.set()
            await go_on.wait()
            steps.append("looked")

    served = Slow(database, Registry.of(database, tmp_path), FraudSettings(), TENANT)
    looking = asyncio.create_task(keep([served], 0.01))
    await begun.wait()
    looking.cancel()
    await asyncio.sleep(0)
    assert not looking.done()
    go_on.set()
    await asyncio.wait({looking})
    assert (looking.cancelled(), steps) == (True, ["looked"])
