import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from core.errors import CorruptArtefact
from tabular.demand.prepared import Prepared
from tabular.demand.storing import FILE, load, save

PREPARED = Prepared(
    date(2026, 6, 30),
    ("SKU-1", "SKU-2"),
    np.array([[1.0, 2.5, 3.0], [0.0, 0.25, 0.5]]),
    np.array([[1.0, 1.5, 2.0], [1.0, 1.0, 1.25]]),
    np.array([400, 600]),
    ({"yearly": 0.75, "theta": 0.25}, {"yearly": 1.0}),
)


def test_what_was_saved_is_loaded_and_equal_forecasts_are_equal_bytes(tmp_path: Path) -> None:
    files, again = (save(PREPARED, tmp_path / name) for name in ("one", "two"))
    assert {name: each.read_bytes() for name, each in files.items()} == {
        name: each.read_bytes() for name, each in again.items()
    }
    found = load(files)
    assert (found.origin, found.names, found.shares, found.horizon) == (
        PREPARED.origin,
        PREPARED.names,
        PREPARED.shares,
        3,
    )
    assert found.means.tolist() == PREPARED.means.tolist()
    assert found.dispersions.tolist() == PREPARED.dispersions.tolist()
    assert found.histories.tolist() == [400, 600]
    assert found.places == {"SKU-1": 0, "SKU-2": 1}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": 9}, "format 9"),
        ({"origin": "yesterday"}, "no forecasts"),
        ({"names": ["SKU-1"]}, "broken"),
        ({"names": ["SKU-1", "SKU-1"]}, "comes twice"),
        ({"shares": [{}, []]}, "no forecasts"),
        ({"shares": [{}, {}]}, "without a model"),
        ({"shares": [{"yearly": 1.0}]}, "broken"),
        ({"means": []}, "no days"),
        ({"means": [[1.0, 2.0], [3.0]]}, "no forecasts"),
        ({"dispersions": [[1.0], [1.0]]}, "broken"),
        ({"histories": [1e400, 2]}, "no forecasts"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, change: dict[str, object], told: str) -> None:
    files = save(PREPARED, tmp_path)
    files[FILE].write_text(json.dumps(json.loads(files[FILE].read_text()) | change))
    with pytest.raises(CorruptArtefact, match=told):
        load(files)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"PK\x03\x04", b"\x80\x05.", b"[" * 100_000])
def test_anything_else_is_refused(tmp_path: Path, content: bytes) -> None:
    files = save(PREPARED, tmp_path)
    files[FILE].write_bytes(content)
    with pytest.raises(CorruptArtefact):
        load(files)
    with pytest.raises(CorruptArtefact):
        load({})


@pytest.mark.parametrize("wrong", [np.nan, -1.0, np.inf])
def test_numbers_that_are_none_are_refused(tmp_path: Path, wrong: float) -> None:
    means = PREPARED.means.copy()
    means[1, 1] = wrong
    with pytest.raises(CorruptArtefact, match="below zero"):
        load(save(replace(PREPARED, means=means), tmp_path))
