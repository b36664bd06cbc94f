"""Bringing one artefact onto the device: what is here already is copied, the rest fetched, and every chunk verified.

What has arrived lies in `.<file>.part` and is never lost to a broken connection: the next try verifies the whole
chunks in it and goes on at the very byte where it ends.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from core.errors import ArtefactChanged, BundleTampered, BundleTruncated, DownloadFailed
from edge.durable import rename
from edge.hashing import check
from edge.manifest import Artefact, Chunk

# Called with the artefact's id, the bytes of it that are here, and its size.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Piece:
    """A range of an artefact: the entity tag of what it is a range of, and its bytes as they come in."""

    etag: str
    content: Iterator[bytes]


class Source(Protocol):
    """Where artefacts come from."""

    def fetch(self, artefact: Artefact, start: int, stop: int) -> Piece:
        """Give the bytes from `start` up to, not including, `stop`.

        Raises `DownloadFailed`, here or while the content is read, when the connection breaks.
        """


class LocalChunks:
    """The chunks in files that are on the device; nothing about the files is trusted."""

    def __init__(self, files: Iterable[tuple[Path, Artefact]] = ()) -> None:
        self._places: dict[str, tuple[Path, int]] = {}
        for path, artefact in files:
            offset = 0
            for chunk in artefact.chunks:
                self.add(chunk, path, offset)
                offset += chunk.size

    def __contains__(self, chunk: Chunk) -> bool:
        """Whether the chunk should be here."""
        return chunk.sha256 in self._places

    def add(self, chunk: Chunk, path: Path, offset: int) -> None:
        """Say that the chunk is to be found there."""
        self._places.setdefault(chunk.sha256, (path, offset))

    def read(self, chunk: Chunk) -> bytes | None:
        """The chunk's bytes, or nothing when they are not what they should be; then it is forgotten."""
        path, offset = self._places[chunk.sha256]
        try:
            with path.open("rb") as file:
                file.seek(offset)
                content = file.read(chunk.size)
        except FileNotFoundError:
            content = b""
        if hashlib.sha256(content).hexdigest() == chunk.sha256:
            return content
        del self._places[chunk.sha256]
        return None


class Download:
    """One artefact on its way to `target`. `patience` is how many tries in a row may bring nothing."""

    def __init__(
        self,
        artefact: Artefact,
        target: Path,
        source: Source,
        local: LocalChunks,
        *,
        patience: int = 3,
        pause: Callable[[float], None] = time.sleep,
        progress: Progress | None = None,
    ) -> None:
        self._artefact = artefact
        self._target = target
        self._part = target.with_name(f".{target.name}.part")
        self._source = source
        self._local = local
        self._patience = patience
        self._pause = pause
        self._progress = progress
        self._starts = [0]
        for chunk in artefact.chunks:
            self._starts.append(self._starts[-1] + chunk.size)
        self.fetched = 0
        """Bytes that came over the network."""

    def run(self) -> Path:
        """Complete the file and return its path.

        Raises `DownloadFailed` when the connection brings nothing any more, `BundleTruncated` when it ends early
        without having broken, `ArtefactChanged` when the source has another file now, `BundleTampered` when a chunk
        comes wrong twice. All but the last keep what has arrived.
        """
        if self._target.exists():
            check(self._target, self._artefact)
            return self._target
        with self._part.open("a+b", buffering=0) as file:
            # An appending file is written at its end, wherever it was read last.
            number = self._settle(file)
            fruitless, wrong = 0, -1
            while number < len(self._artefact.chunks):
                before = file.seek(0, 2)
                problem: Exception | None = None
                try:
                    bad = self._advance(file, number)
                except DownloadFailed as failure:
                    if isinstance(failure, ArtefactChanged):
                        raise
                    bad, problem = None, failure
                if bad is not None and bad == wrong:
                    raise BundleTampered(f"{self._artefact.id}: a part of it is not what was signed")
                wrong = bad if bad is not None else wrong
                number = self._whole(file)
                fruitless = 0 if file.seek(0, 2) > before or bad is not None else fruitless + 1
                if fruitless > self._patience:
                    told = f"{self._artefact.id}: {before} of {self._artefact.size} bytes have come, and no more do"
                    raise problem or BundleTruncated(told, param=self._artefact.id)
                if fruitless:
                    self._pause(min(2.0**fruitless / 4, 30.0))
        try:
            check(self._part, self._artefact)
        except BundleTampered:
            self._part.unlink()
            raise
        rename(self._part, self._target)
        return self._target

    def _settle(self, file: BinaryIO) -> int:
        """Keep what an earlier try has left as far as it is right; return the number of whole chunks."""
        file.seek(0)
        for number, chunk in enumerate(self._artefact.chunks):
            content = file.read(chunk.size)
            if len(content) < chunk.size:
                return number
            if hashlib.sha256(content).hexdigest() != chunk.sha256:
                file.truncate(self._starts[number])
                return number
            self._local.add(chunk, self._part, self._starts[number])
        file.truncate(self._artefact.size)
        return len(self._artefact.chunks)

    def _whole(self, file: BinaryIO) -> int:
        """How many chunks lie whole in the file."""
        end, low = file.seek(0, 2), 0
        while low < len(self._artefact.chunks) and self._starts[low + 1] <= end:
            low += 1
        return low

    def _advance(self, file: BinaryIO, number: int) -> int | None:
        """Copy chunks that are here, then fetch the run of those that are not.

        Returns the number of a chunk that came wrong, and was taken off the file again.
        """
        chunks = self._artefact.chunks
        while number < len(chunks) and file.seek(0, 2) == self._starts[number] and chunks[number] in self._local:
            content = self._local.read(chunks[number])
            if content is not None:
                self._append(file, number, content)
                number += 1
        if number == len(chunks):
            return None
        stop, coming = number, set[str]()
        # A chunk that comes twice is fetched once, and copied when its turn comes.
        while stop < len(chunks) and chunks[stop].sha256 not in coming and chunks[stop] not in self._local:
            coming.add(chunks[stop].sha256)
            stop += 1
        # One that is begun is fetched to its end, also when a copy turned up meanwhile.
        return self._fetch(file, number, max(stop, number + 1))

    def _fetch(self, file: BinaryIO, number: int, stop: int) -> int | None:
        start, end = file.seek(0, 2), self._starts[stop]
        piece = self._source.fetch(self._artefact, start, end)
        if piece.etag != self._artefact.etag:
            raise ArtefactChanged(f"{self._artefact.id}: another file is offered now; fetch the manifest again")
        file.seek(self._starts[number])
        content = bytearray(file.read())
        for received in piece.content:
            kept = received[: end - start]
            start += len(kept)
            self.fetched += len(kept)
            content += kept
            while number < stop and len(content) >= self._artefact.chunks[number].size:
                size = self._artefact.chunks[number].size
                if hashlib.sha256(content[:size]).hexdigest() != self._artefact.chunks[number].sha256:
                    file.truncate(self._starts[number])
                    return number
                written = file.seek(0, 2) - self._starts[number]
                self._append(file, number, bytes(content[written:size]))
                del content[:size]
                number += 1
            if number == stop:
                return None
            # The rest is no whole chunk yet; it is kept for a next try.
            file.write(content[file.seek(0, 2) - self._starts[number] :])
        return None

    def _append(self, file: BinaryIO, number: int, content: bytes) -> None:
        file.write(content)
        self._local.add(self._artefact.chunks[number], self._part, self._starts[number])
        if self._progress is not None:
            self._progress(self._artefact.id, self._starts[number + 1], self._artefact.size)
