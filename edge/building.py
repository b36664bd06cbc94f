"""Building a bundle: from files to a signed folder on the shelf, or nothing at all."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from core.errors import InvalidInput, NotFound, WrongBase
from core.modelstore import file_sha256
from edge.chunks import AVERAGE, AVERAGES, chunk_file
from edge.durable import sync, write
from edge.keyring import Keyring
from edge.manifest import RUNTIMES, Artefact, Kind, Manifest, Metric, Needs, Reach
from edge.shelf import MANIFEST, Shelf


@dataclass(frozen=True, slots=True)
class Ware:
    """A file that is to become an artefact, and what is known about it. `file` is its name in the bundle.

    `sha256`, where it is given, is what the file must hash to. `base` is the id of an artefact of the same bundle, or
    the SHA-256 of a model.
    """

    path: Path
    id: str
    kind: Kind
    licence: str
    peak_memory: int
    file: str | None = None
    sha256: str | None = None
    quantisation: str | None = None
    base: str | None = None
    card: Mapping[str, Metric] = field(default_factory=dict)
    reach: Reach | None = None
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A bundle that is to be built. `bases` are the SHA-256 of models that its devices have already."""

    name: str
    tenant: str
    wares: Sequence[Ware]
    days: int
    needs: Needs = field(default_factory=Needs)
    bases: Sequence[str] = ()


def build(order: Order, shelf: Shelf, keyring: Keyring, now: datetime) -> Manifest:
    """Build the bundle and put it on the shelf, where it takes the place of the one with its name.

    Raises `NotFound` for a file that is not there or when there is no key to sign with, `InvalidInput` for a missing
    licence, a hash that is not the declared one or anything else that the manifest does not allow, `WrongBase` for an
    adapter whose base is neither in the bundle nor declared. The shelf is then as it was.
    """
    signer, record = keyring.signer(), keyring.record()
    for ware in order.wares:
        if not ware.licence.strip():
            raise InvalidInput(f"{ware.id} has no licence: nothing is shipped without one", param=f"{ware.id}.licence")
        if not ware.path.is_file():
            raise NotFound(f"{ware.id}: no file {ware.path}", param=f"{ware.id}.path")
    with shelf.arriving(order.tenant, order.name) as (folder, counter):
        hashes = {ware.id: _bring(ware, folder) for ware in order.wares}
        try:
            manifest = Manifest(
                name=order.name,
                tenant=order.tenant,
                counter=counter,
                created=now,
                expires=now + timedelta(days=order.days),
                needs=order.needs,
                bases=tuple(order.bases),
                artefacts=tuple(_artefact(ware, folder, hashes) for ware in order.wares),
            )
        except ValidationError as problem:
            first = problem.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise InvalidInput(f"{order.name}: {place or 'the bundle'}: {first['msg']}", param=place) from problem
        for adapter, base in manifest.missing_bases(frozenset(order.bases)).items():
            raise WrongBase(f"{adapter} needs the base {base}, which is neither in the bundle nor declared in `bases`")
        write(folder / MANIFEST, signer.bundle(manifest, record.statements).content())
    return manifest


def _bring(ware: Ware, folder: Path) -> str:
    """Copy the file into the folder. What is hashed is the copy, so the original may change meanwhile."""
    target = folder / _name(ware)
    if target.exists() or target.name == MANIFEST:
        raise InvalidInput(f"{ware.id}: the bundle has a file {target.name} already", param=f"{ware.id}.file")
    shutil.copyfile(ware.path, target)
    sync(target)
    found = file_sha256(target)
    if ware.sha256 is not None and found != ware.sha256:
        told = f"{ware.id}: {ware.path} has the SHA-256 {found}, but {ware.sha256} is declared"
        raise InvalidInput(told, param=f"{ware.id}.sha256")
    return found


def _artefact(ware: Ware, folder: Path, hashes: Mapping[str, str]) -> Artefact:
    path = folder / _name(ware)
    return Artefact(
        id=ware.id,
        kind=ware.kind,
        runtime=RUNTIMES[ware.kind],
        file=path.name,
        sha256=hashes[ware.id],
        size=path.stat().st_size,
        peak_memory=ware.peak_memory,
        quantisation=ware.quantisation,
        licence=ware.licence.strip(),
        card=dict(ware.card),
        base=None if ware.base is None else hashes.get(ware.base, ware.base),
        reach=ware.reach,
        expires=ware.expires,
        chunks=chunk_file(path, AVERAGES.get(ware.kind, AVERAGE)),
    )


def _name(ware: Ware) -> str:
    name = ware.file or ware.path.name
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        raise InvalidInput(f"{ware.id}: {name!r} is no name for a file of a bundle; give `file`", param=ware.id)
    return name
