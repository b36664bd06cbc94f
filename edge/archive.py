"""A folder as one file, and back: the same files make the same bytes.

A zip archive of stored members in the order of their names, with one fixed date, so that chunks of it are chunks of
the files. Zeros at a file's end are left out and put back: Qdrant sets its files up at 1 to 32 MiB and hardly fills
them, and what is left out takes no room on the device either, for the files get holes there.
"""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import orjson

from core.errors import BundleTampered
from edge.durable import rename

# The first day that zip knows.
_DATE = (1980, 1, 1, 0, 0, 0)
_SIZES = ".sizes.json"
_BLOCK = 2**20
# More than any snapshot is unpacked to: 64 GiB, in 100,000 files.
_MOST_BYTES, _MOST_FILES = 2**36, 100_000


def pack(folder: Path, target: Path) -> None:
    """Write the folder's files into the archive `target`; empty folders are left out."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    names = {path.relative_to(folder).as_posix(): path for path in files}
    sizes = {name: path.stat().st_size for name, path in names.items()}
    partial = target.with_name(f".{target.name}.partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_member(_SIZES), orjson.dumps(sizes, option=orjson.OPT_SORT_KEYS))
        for name, path in names.items():
            with path.open("rb") as source, archive.open(_member(name), "w", force_zip64=True) as member:
                left = _content_end(source, sizes[name])
                source.seek(0)
                while piece := source.read(min(_BLOCK, left)):
                    member.write(piece)
                    left -= len(piece)
    rename(partial, target)


def unpack(archive: Path, folder: Path) -> None:
    """Make `folder` out of the archive; whatever stood there is gone.

    Raises `BundleTampered`, and leaves no folder, for an archive that is none of ours, broken, or hostile.
    """
    arriving = folder.with_name(f".{folder.name}.arriving")
    shutil.rmtree(arriving, ignore_errors=True)
    arriving.mkdir(parents=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            sizes = _sizes(opened)
            for name, size in sizes.items():
                path = arriving / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(name) as source, path.open("wb") as file:
                    shutil.copyfileobj(source, file, _BLOCK)
                    file.truncate(size)
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, NotImplementedError, EOFError) as problem:
        shutil.rmtree(arriving, ignore_errors=True)
        raise BundleTampered(f"{archive.name} is no archive of this program: {problem}") from problem
    shutil.rmtree(folder, ignore_errors=True)
    rename(arriving, folder)


def _sizes(archive: zipfile.ZipFile) -> dict[str, int]:
    if archive.getinfo(_SIZES).file_size > _BLOCK * 16:
        raise ValueError("its list of files is too long")
    found = orjson.loads(archive.read(_SIZES))
    if not isinstance(found, dict) or len(found) > _MOST_FILES:
        raise ValueError("its list of files cannot be read")
    for name, size in found.items():
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts or "\\" in name or "\0" in name:
            raise ValueError(f"the name {name!r} leads out of the folder")
        if not isinstance(size, int) or size < archive.getinfo(name).file_size:
            raise ValueError(f"the size of {name} cannot be {size}")
        if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{name} is compressed")
    if sum(found.values()) > _MOST_BYTES:
        raise ValueError("it would take too much room")
    return found


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _DATE)
    member.external_attr = 0o600 << 16
    member.create_system = 3
    return member


def _content_end(file: BinaryIO, size: int) -> int:
    """Bytes up to the last one that is not zero, looked for from the end."""
    end = size
    while end:
        start = max(0, end - _BLOCK)
        file.seek(start)
        content = file.read(end - start).rstrip(b"\0")
        if content:
            return start + len(content)
        end = start
    return 0
