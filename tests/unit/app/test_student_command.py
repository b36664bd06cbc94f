from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.commands.student import _scope, _table
from app.distilling.student import Distilled, Measured
from core.errors import InvalidInput
from core.studentcard import Head, StudentCard
from finetune.student.weights import StudentWeights
from tests.fakes.student import weights_of_zeros

HEAD = Head(name="matter", labels=("tents", "boots"), strange=True, sure=0.8)


def distilled(weights: StudentWeights, recall: float | None) -> Distilled:
    card = StudentCard(buckets=256, heads=(HEAD,))
    return Distilled(weights, card, 12, (Measured(HEAD, 20, 0.75, 0.05, 0.5),), 0.02, recall)


@pytest.mark.parametrize(("option", "told"), [("--texts", "cannot read the texts"), ("--examples", "the examples")])
def test_a_file_that_cannot_be_read_is_named_before_anything_is_made(tmp_path: Path, option: str, told: str) -> None:
    arguments = ["student", "train", "--out", str(tmp_path / "out"), option, str(tmp_path / "none.txt")]
    failed = CliRunner().invoke(cli, arguments)
    assert isinstance(failed.exception, InvalidInput)
    assert told in failed.exception.message
    assert "none.txt" in failed.exception.message
    assert not (tmp_path / "out").exists()


def test_what_the_twin_did_is_told() -> None:
    made = distilled(weights_of_zeros(256, 4, 3), 0.5)
    cells = [[*column.cells] for column in _table(made).columns]
    assert [each[0] for each in cells] == ["matter", "2", "20", "0.750", "0.050", "0.80", "0.50"]
    assert _scope(made) == "out of scope: 50% found, 2.0% of the others turned away"
    assert "nothing out of scope" in _scope(distilled(made.weights, None))
