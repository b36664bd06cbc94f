"""What an installed bundle gives a device to run: the student that routes, and the knowledge that answers.

Opening verifies every file (`edge.installing`) and unpacks the snapshot into a folder that goes with the block, so that
knowledge which expires leaves nothing behind. A phone's program does the same in its own language; this one is the
reference.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.errors import BundleExpired, NotFound
from edge.archive import unpack
from edge.installing import Device
from edge.manifest import Kind, Manifest
from edge.student import Student

_OPENED = ".open-"


@dataclass(frozen=True, slots=True)
class Opened:
    """A bundle, open. `knowledge` is a folder as `retrieval.snapshot.write_snapshot` makes it.

    `model` is a GGUF file where the bundle brings one, which `edge.chat` writes with.
    """

    manifest: Manifest
    student: Student
    knowledge: Path
    model: Path | None


@contextmanager
def opened(device: Device, folder: Path, name: str, now: datetime) -> Iterator[Opened]:
    """The device's bundle for the block; `folder` is where its snapshot is unpacked.

    Raises `NotFound` when the bundle is not installed or brings no knowledge, `BundleExpired` when its knowledge is
    past its time, and what `Device.installed`, `Student` and `unpack` raise for files that are not what they were. A
    bundle without a student is routed by the one in the repository.
    """
    # A program that was killed leaves its folder: what lay in it may have expired since.
    for left in folder.glob(f"{_OPENED}*"):
        shutil.rmtree(left)
    installed = device.installed(name, now)
    packed = installed.of(Kind.SNAPSHOT)
    if not packed:
        gone = {artefact.id for artefact in installed.manifest.artefacts if artefact.kind is Kind.SNAPSHOT}
        if gone & set(installed.expired):
            raise BundleExpired(f"the knowledge of {name} is past its time: install a newer build")
        raise NotFound(f"the bundle {name} brings no knowledge", param="name")
    students = installed.of(Kind.TFLITE)
    student = Student(students[0][1]) if students else Student.shipped()
    models = installed.of(Kind.GGUF)
    place = Path(tempfile.mkdtemp(prefix=_OPENED, dir=folder))
    try:
        knowledge = place / "knowledge"
        unpack(packed[0][1], knowledge)
        yield Opened(installed.manifest, student, knowledge, models[0][1] if models else None)
    finally:
        shutil.rmtree(place)
