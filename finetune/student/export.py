"""Turns a student's weights into a .tflite file, in an environment of its own that is made once and kept."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

from core.errors import ConversionFailed
from core.modelstore import default_cache
from finetune.student.weights import StudentWeights

REQUIREMENTS = Path(__file__).with_name("convert.txt")
"""What the environment holds, to the last version."""

_SCRIPT = Path(__file__).with_name("convert.py")
_READY = "ready"
_MINUTES = 60
_TOLD = 2_000

Say = Callable[[str], None]


def environment(cache: Path | None = None, say: Say = lambda _: None) -> Path:
    """The Python of the converter's environment, made where it is not there yet: minutes, and 2 GB.

    It lies in `cache` (default: the user's cache), named for the hash of `convert.txt`, so that other pins get
    another. One that was not finished is made anew. Raises `ConversionFailed` when a package cannot be had.
    """
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    folder = (cache or default_cache().parent) / f"convert-{digest}"
    python = folder / "bin" / "python"
    if (folder / _READY).exists():
        return python
    say("making the converter's environment: some minutes, once")
    shutil.rmtree(folder, ignore_errors=True)
    venv.EnvBuilder(with_pip=True).create(folder)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*install, "-r", str(REQUIREMENTS)], "the converter's packages cannot be installed")
    (folder / _READY).touch()
    return python


def export(weights: StudentWeights, target: Path, python: Path) -> None:
    """Write the weights as TFLite with int8 weights, whole or not at all. `python` is what `environment` gives.

    Raises `ConversionFailed` with what the converter said last.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".convert-") as folder:
        source, made = Path(folder) / "weights.npz", Path(folder) / "student.tflite"
        weights.save(source)
        # Isolated (-I): what lies in the current folder must not be imported in place of a package.
        _run([str(python), "-I", str(_SCRIPT), str(source), str(made)], "the student cannot be converted")
        made.replace(target)


def _run(command: Sequence[str], failing: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60 * _MINUTES, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise ConversionFailed(f"{failing}: {problem}") from problem
    if done.returncode:
        raise ConversionFailed(f"{failing}: {(done.stderr or done.stdout).strip()[-_TOLD:]}")
