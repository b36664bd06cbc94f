"""The device's side of bundles: fetch, verify, switch over at once, and go back.

::

    device/device.json                       whose device it is, the keys it trusts and those it never will again
    device/<name>/state.json                 which build is in use, which was before, the highest counter there was
    device/<name>/<counter>/…                manifest and artefacts of a build
    device/<name>/.arriving-<digest>/…       a build that is being downloaded; a broken download goes on there

Whatever goes wrong, the build in use stays so: the switch is one rename of `state.json`, which also holds the counter,
so no moment has the new build with the old counter. The signature is verified before anything is fetched, and each
file's hash before it is handed out. An installed build is held to the digest that was noted when its signature was
verified: revoking its key stops what comes, and does not take away what people work with.
"""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.errors import (
    BundleDowngraded,
    BundleExpired,
    BundleMisdirected,
    BundleRefused,
    BundleTampered,
    Conflict,
    NotFound,
    WrongBase,
)
from edge.download import Download, LocalChunks, Progress, Source
from edge.durable import rename, sync, write
from edge.hashing import check
from edge.manifest import Artefact, Kind, Manifest
from edge.shelf import MANIFEST
from edge.signing import Envelope, PublicKey, Trust
from edge.state import Build, Identity, State, build_of

_STATE, _DEVICE = "state.json", "device.json"


@dataclass(frozen=True, slots=True)
class Installed:
    """A build in use, every file of it verified just now. `expired` are the ids of artefacts that are past their time.

    What has expired is deleted and is not among `files`.
    """

    manifest: Manifest
    files: tuple[tuple[Artefact, Path], ...]
    expired: tuple[str, ...]
    fetched: int = 0

    def of(self, kind: Kind) -> tuple[tuple[Artefact, Path], ...]:
        """The artefacts of a kind, with their files."""
        return tuple((artefact, path) for artefact, path in self.files if artefact.kind is kind)

    def path(self, artefact_id: str) -> Path:
        """The file of an artefact. Raises `NotFound` when there is none, or it has expired."""
        for artefact, path in self.files:
            if artefact.id == artefact_id:
                return path
        why = "has expired" if artefact_id in self.expired else "is not in the bundle"
        raise NotFound(f"{artefact_id} {why}", param=artefact_id)


class Device:
    """The bundles in a device's folder. Make one with `create`, once, and with `Device(folder)` from then on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def create(cls, folder: Path, tenant: str, *keys: PublicKey) -> Device:
        """Set up a device of this tenant that trusts these keys. Raises `Conflict` when the folder is one already."""
        device = cls(folder)
        if device.set_up:
            raise Conflict(f"{folder} is set up already")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        device._remember(tenant, Trust.of(*keys))
        return device

    @property
    def set_up(self) -> bool:
        """Whether the folder is a device's."""
        return (self._folder / _DEVICE).exists()

    @property
    def tenant(self) -> str:
        """Whose device it is. Raises `NotFound` when it was never set up."""
        return self._identity().tenant

    @property
    def trust(self) -> Trust:
        """The keys that it trusts now. Raises `NotFound` when it was never set up."""
        known = self._identity()
        return Trust(known.keys, frozenset(known.revoked))

    def state(self, name: str) -> State:
        """What is known of the bundle; nothing, when there was never one."""
        try:
            return State.model_validate_json((self._folder / name / _STATE).read_bytes())
        except FileNotFoundError:
            return State()

    def verify(self, content: bytes, now: datetime, *, name: str | None = None) -> Manifest:
        """The manifest in a signed envelope, if it may be installed here and now; what it says of keys is remembered.

        Raises the `BundleRefused` that fits. Nothing is fetched for this.
        """
        envelope = Envelope.parse(content)
        manifest, learned = self.trust.verify(envelope)
        self._remember(self.tenant, learned)
        if manifest.tenant != self.tenant:
            raise BundleMisdirected(f"the bundle is for {manifest.tenant}, and this device is {self.tenant}'s")
        if name is not None and manifest.name != name:
            raise BundleMisdirected(f"{name} was asked for, and this is {manifest.name}")
        if now >= manifest.expires:
            raise BundleExpired(f"{manifest.name} {manifest.counter} could be installed until {manifest.expires}")
        build, highest = build_of(envelope, manifest), self.state(manifest.name).highest
        if highest is not None and build != highest and build.counter <= highest.counter:
            told = f"{manifest.name} {manifest.counter} is not newer than {highest.counter}, which was here before"
            raise BundleDowngraded(told)
        return manifest

    def held(self, name: str) -> LocalChunks:
        """The chunks of the bundle's builds on the device, and thereby what a new one need not bring."""
        return LocalChunks(self._files(name))

    def to_fetch(self, manifest: Manifest) -> int:
        """Bytes that installing the bundle would bring over the network."""
        local = self.held(manifest.name)
        chunks = {chunk.sha256: chunk for artefact in manifest.artefacts for chunk in artefact.chunks}
        return sum(chunk.size for chunk in chunks.values() if chunk not in local)

    def bases(self) -> frozenset[str]:
        """The SHA-256 of the base models in the builds that are in use."""
        found = set[str]()
        for home in self._folder.glob(f"*/{_STATE}"):
            build = self.state(home.parent.name).current
            if build is not None:
                manifest = self._manifest(home.parent.name, build)
                found.update(each.sha256 for each in manifest.artefacts if each.kind is Kind.GGUF)
        return frozenset(found)

    def install(
        self,
        content: bytes,
        source: Source,
        now: datetime,
        *,
        name: str | None = None,
        on_device: frozenset[str] = frozenset(),
        patience: int = 3,
        pause: Callable[[float], None] = time.sleep,
        progress: Progress | None = None,
    ) -> Installed:
        """Bring the bundle of a signed manifest onto the device and use it from now on.

        `name` is the one that was asked for; `on_device` are models that the device has beside its bundles. Installing
        what is in use already fetches nothing. Raises the `BundleRefused` that fits, `DownloadFailed` when the
        connection breaks for good (the next call goes on from there), and `Conflict` while another install runs.
        """
        with self._alone():
            manifest = self.verify(content, now, name=name)
            build = build_of(Envelope.parse(content), manifest)
            for adapter, base in manifest.missing_bases(on_device | self.bases()).items():
                raise WrongBase(f"{adapter} needs the base {base}, which is not on this device", param=adapter)
            home = self._folder / manifest.name
            home.mkdir(exist_ok=True, mode=0o700)
            final, fetched = home / str(build.counter), 0
            if not self._stands(manifest.name, build, now):
                arriving = home / f".arriving-{build.digest[:32]}"
                for left in home.glob(".arriving-*"):
                    if left != arriving:
                        shutil.rmtree(left)
                arriving.mkdir(exist_ok=True)
                local = self.held(manifest.name)
                for artefact in manifest.artefacts:
                    target = arriving / artefact.file
                    download = Download(
                        artefact, target, source, local, patience=patience, pause=pause, progress=progress
                    )
                    sync(download.run())
                    fetched += download.fetched
                write(arriving / MANIFEST, content)
                shutil.rmtree(final, ignore_errors=True)
                rename(arriving, final)
            self._switch(manifest.name, build)
            return self._open(manifest.name, build, now, fetched)

    def installed(self, name: str, now: datetime) -> Installed:
        """The build in use, verified. Raises `NotFound`, and `BundleTampered`, `BundleTruncated`."""
        current = self.state(name).current
        if current is None:
            raise NotFound(f"no bundle {name} is installed", param="name")
        return self._open(name, current, now)

    def roll_back(self, name: str, now: datetime) -> Installed:
        """Use the build from before again, verified. Raises `Conflict` when there is none.

        The newest counter stays known: nothing older than what was once here can be installed.
        """
        with self._alone():
            state = self.state(name)
            if state.previous is None:
                raise Conflict(f"there is no build of {name} to go back to", param="name")
            opened = self._open(name, state.previous, now)
            after = state.model_copy(update={"current": state.previous, "previous": state.current})
            write(self._folder / name / _STATE, after.model_dump_json().encode(), mode=0o600)
            return opened

    def _switch(self, name: str, build: Build) -> None:
        state, home = self.state(name), self._folder / name
        if state.current != build:
            kept = state.current if state.current is not None else state.previous
            highest = max((each for each in (state.highest, build) if each is not None), key=lambda each: each.counter)
            after = State(current=build, previous=kept, highest=highest)
            write(home / _STATE, after.model_dump_json().encode(), mode=0o600)
            state = after
        used = {str(each.counter) for each in (state.current, state.previous) if each is not None}
        for folder in home.iterdir():
            if folder.name.isdecimal() and folder.name not in used:
                shutil.rmtree(folder)

    def _stands(self, name: str, build: Build, now: datetime) -> bool:
        """Whether the build is here already, and whole."""
        if not (self._folder / name / str(build.counter) / MANIFEST).exists():
            return False
        try:
            self._open(name, build, now)
        except BundleRefused:
            return False
        return True

    def _open(self, name: str, build: Build, now: datetime, fetched: int = 0) -> Installed:
        folder, manifest = self._folder / name / str(build.counter), self._manifest(name, build)
        files, expired = list[tuple[Artefact, Path]](), list[str]()
        for artefact in manifest.artefacts:
            path = folder / artefact.file
            if artefact.expires is not None and now >= artefact.expires:
                path.unlink(missing_ok=True)
                expired.append(artefact.id)
            else:
                check(path, artefact)
                files.append((artefact, path))
        return Installed(manifest, tuple(files), tuple(expired), fetched)

    def _manifest(self, name: str, build: Build) -> Manifest:
        try:
            envelope = Envelope.parse((self._folder / name / str(build.counter) / MANIFEST).read_bytes())
        except FileNotFoundError:
            raise BundleTampered(f"{name} {build.counter}: its manifest is gone") from None
        manifest = envelope.unverified()
        if build_of(envelope, manifest) != build:
            raise BundleTampered(f"{name} {build.counter}: its manifest is not the one that was installed")
        return manifest

    def _files(self, name: str) -> Iterator[tuple[Path, Artefact]]:
        state = self.state(name)
        for build in (state.current, state.previous):
            if build is not None:
                folder = self._folder / name / str(build.counter)
                try:
                    manifest = self._manifest(name, build)
                except BundleRefused:
                    continue  # What is broken helps nobody; the download then brings everything.
                yield from ((folder / artefact.file, artefact) for artefact in manifest.artefacts)

    def _identity(self) -> Identity:
        try:
            return Identity.model_validate_json((self._folder / _DEVICE).read_bytes())
        except FileNotFoundError:
            raise NotFound(f"{self._folder} is no device's folder: it was never set up") from None

    def _remember(self, tenant: str, trust: Trust) -> None:
        identity = Identity(tenant=tenant, keys=dict(trust.keys), revoked=tuple(sorted(trust.revoked)))
        write(self._folder / _DEVICE, identity.model_dump_json(indent=2).encode(), mode=0o600)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._folder / ".lock").open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(f"another install is under way in {self._folder}") from None
            yield
