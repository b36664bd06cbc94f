import os
import zipfile
from pathlib import Path

import orjson
import pytest

from core.errors import BundleTampered
from edge.archive import pack, unpack

CONTENT = {
    "edge_config.json": b"{}",
    "segments/a/page.dat": b"passage" + bytes(5 * 2**20),
    "segments/a/holes.dat": bytes(100) + b"x" + bytes(2**20),
    "segments/b/zero.dat": bytes(2**21),
    "segments/b/empty.dat": b"",
    "wal/first": b"0" * (2**20 + 1),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    for name, content in CONTENT.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(content)
    return made


def test_a_folder_comes_back_as_it_was(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "packed.zip")
    assert (tmp_path / "packed.zip").stat().st_size < 2**20 + 4096
    (tmp_path / "back").mkdir()
    (tmp_path / "back" / "left over").touch()
    unpack(tmp_path / "packed.zip", tmp_path / "back")
    found = {
        path.relative_to(tmp_path / "back").as_posix(): path.read_bytes()
        for path in (tmp_path / "back").rglob("*")
        if path.is_file()
    }
    assert found == CONTENT


def test_the_same_files_make_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "one.zip")
    os.utime(folder / "edge_config.json", (1, 1))
    (folder / "edge_config.json").chmod(0o600)
    pack(folder, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


@pytest.mark.parametrize(
    ("sizes", "method"),
    [
        ({"../out": 1}, zipfile.ZIP_STORED),
        ({"/out": 1}, zipfile.ZIP_STORED),
        ({"a\\b": 1}, zipfile.ZIP_STORED),
        ({"a": 0}, zipfile.ZIP_STORED),
        ({"a": 2**40}, zipfile.ZIP_STORED),
        ({"a": 1}, zipfile.ZIP_DEFLATED),
        ({"a": "1"}, zipfile.ZIP_STORED),
        ([], zipfile.ZIP_STORED),
    ],
)
def test_an_archive_of_somebody_elses_is_refused(sizes: object, method: int, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(zipfile.ZipInfo(".sizes.json"), orjson.dumps(sizes))
        for name in sizes if isinstance(sizes, dict) else ():
            archive.writestr(name, b"x")
    with pytest.raises(BundleTampered):
        unpack(path, tmp_path / "in" / "folder")
    assert [each.name for each in tmp_path.rglob("*") if each.is_file()] == ["a.zip"]


def test_a_torn_archive_is_refused(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    pack(folder, path)
    content = path.read_bytes()
    for torn in (content[:-100], b"", content.replace(b"passage", b"massage")):
        path.write_bytes(torn)
        with pytest.raises(BundleTampered):
            unpack(path, tmp_path / "folder2")
