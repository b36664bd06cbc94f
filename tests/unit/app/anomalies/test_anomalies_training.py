from pathlib import Path

import numpy as np
import pytest

from app.anomalies.training import candidate, train_anomalies
from core.errors import InvalidInput
from core.versions import Kind
from tabular.tasks.anomalies import Anomalies
from tabular.tasks.storing import load


def table(folder: Path, count: int = 500, seed: int = 0) -> Path:
    random = np.random.default_rng(seed)
    lines = [f"{random.normal(100, 10):.2f},Galway,{random.poisson(4)}" for _ in range(count)]
    lines[7] = "much,Galway,3"
    lines[9] = "99.50,Galway"
    path = folder / "sales.csv"
    path.write_text("\n".join(["amount,town,pieces", *lines]) + "\n")
    return path


def test_a_file_becomes_a_version_and_nothing_is_left_out_unsaid(tmp_path: Path) -> None:
    said: list[str] = []
    trained = train_anomalies(table(tmp_path), expected=0.02, say=said.append)
    made = candidate(trained, tmp_path / "new", "wayside 1")
    beside = tmp_path / "sales.rejected.csv"
    assert said == [
        f"2 rows were set aside: {beside} says why",
        "498 rows, of which it learns: amount, pieces",
        "left out: town is text, such as 'Galway' in line 2",
    ]
    assert beside.read_text().splitlines()[1:] == [
        "9,amount,is no number,much,Galway,3",
        '11,,"has 2 values, not 3",99.50,Galway',
    ]
    assert (made.model, made.kind) == ("anomalies", Kind.TABULAR)
    assert list(made.metrics) == ["test/pushed-out-auc", "test/mixed-auc", "test/share-unusual"]
    model = load("anomalies", made.files, Anomalies.read)
    assert (model.names, model.rows) == (("amount", "pieces"), 398)
    for told in ("the share 0.02", "test/pushed-out-auc: 0.", "left out: town is text", "498 sound rows, 2 set aside"):
        assert told in made.card


def test_the_lineage_follows_from_the_rows_and_the_share(tmp_path: Path) -> None:
    def lineage(expected: float = 0.01, seed: int = 0) -> tuple[str, str]:
        trained = train_anomalies(table(tmp_path, seed=seed), expected=expected, say=lambda _: None)
        made = candidate(trained, tmp_path / "new", "c").lineage
        return made.data, made.recipe

    data, recipe = lineage()
    assert lineage() == (data, recipe)
    assert lineage(seed=1)[0] != data
    other = lineage(expected=0.05)
    assert (other[0], other[1] != recipe) == (data, True)


def test_a_share_that_is_none_is_refused_before_the_file_is_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        train_anomalies(tmp_path / "missing.csv", expected=0.5, say=lambda _: None)
    assert refused.value.param == "expected"
