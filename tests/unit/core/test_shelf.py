import hashlib
import os
import time
from pathlib import Path

import pytest

from core.errors import InvalidInput, NotFound
from core.shelf import Shelf
from core.versions import Artefact


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "models")


def source(folder: Path, name: str, content: bytes = b"weights") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_files_lie_under_the_hash_of_their_bytes(shelf: Shelf, tmp_path: Path) -> None:
    given = {name: source(tmp_path, name, name.encode()) for name in ("card.json", "adapter.gguf", "model.bin")}
    kept = shelf.keep(given)
    assert [each.name for each in kept] == ["adapter.gguf", "card.json", "model.bin"]
    for each in kept:
        digest = hashlib.sha256(each.name.encode()).hexdigest()
        assert (each.sha256, each.size) == (digest, len(each.name))
        assert shelf.path(each) == tmp_path / "models" / digest / each.name
    assert {path.name for path in (tmp_path / "models").iterdir()} == {each.sha256 for each in kept}


def test_one_file_that_cannot_be_read_keeps_the_others_from_being_registered(shelf: Shelf, tmp_path: Path) -> None:
    given = {"adapter.gguf": source(tmp_path, "a.gguf"), "more.gguf": tmp_path}
    with pytest.raises(InvalidInput) as refused:
        shelf.keep(given)
    assert refused.value.param == "files.more.gguf"


@pytest.mark.parametrize("name", ["adapter.pkl", "adapter.bin", "adapter", "weights.npz"])
def test_what_may_carry_code_is_not_kept(shelf: Shelf, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="are kept"):
        shelf.keep({name: source(tmp_path, name)})


@pytest.mark.parametrize("name", ["../up.gguf", "a/b.gguf", ".hidden.gguf", "", "a" * 101 + ".gguf", "a\n.gguf"])
def test_a_name_stays_within_its_folder(shelf: Shelf, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="no name"):
        shelf.keep({name: source(tmp_path, "a.gguf")})


def test_what_dead_processes_left_is_cleared_away_after_a_day(shelf: Shelf, tmp_path: Path) -> None:
    models = tmp_path / "models"
    for name, age in (("old", 25 * 3600), ("new", 3600)):
        left = models / f".arriving-{name}"
        left.mkdir(parents=True)
        os.utime(left, (time.time() - age,) * 2)
    shelf.keep({"adapter.gguf": source(tmp_path, "a.gguf")})
    assert [path.name for path in models.glob(".arriving-*")] == [".arriving-new"]


def test_what_cannot_be_read_is_an_error_that_says_so(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "models" / ("0" * 64) / "adapter.gguf").mkdir(parents=True)
    with pytest.raises(NotFound, match="cannot be read"):
        shelf.path(Artefact("adapter.gguf", "0" * 64, 7))
