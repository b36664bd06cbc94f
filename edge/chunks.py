"""Cutting files where their content says, so that a change moves few cuts: what a delta is made of.

After FastCDC (Xia et al., USENIX ATC 2016): a gear hash of the last 32 bytes runs over the file, and a chunk ends
where the hash has enough zeros; before the average size more of them are asked for and after it fewer, so that sizes
stay close to the average. The gear table is the SHA-256 of each byte's value, which makes the cuts part of the format:
another table would make every file new. The hash at every place is computed with numpy at once, by doubling windows
(the hash of 2n bytes is that of the later n plus that of the earlier n, shifted by n bits).
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from edge.manifest import Chunk, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

AVERAGE = 2**14
"""Bytes of a chunk, about. No chunk but a file's last is smaller than a quarter, and none larger than four times it."""
AVERAGES = {Kind.SNAPSHOT: 2**12}
"""Where another average pays: a snapshot is many small files, and changes in many places."""
_WINDOW = 32
# Read at a time: the hash takes four times as much memory.
_BLOCK = 2**22
_GEAR = np.array(
    [int.from_bytes(hashlib.sha256(bytes([value])).digest()[:4], "big") for value in range(256)], np.uint32
)


def cut(file: BinaryIO, average: int = AVERAGE) -> Iterator[bytes]:
    """The chunks of an open file, in order: together they are its bytes. `average` is a power of two from 128 on."""
    if average < 4 * _WINDOW or average & (average - 1):
        raise ValueError(f"an average of {average} bytes is not a power of two from {4 * _WINDOW} on")
    least, most = average // 4, average * 4
    held = b""
    for block in itertools.chain(iter(lambda: file.read(_BLOCK), b""), (None,)):
        held += block or b""
        start = 0
        strict, loose = _places(held, average)
        # A cut is only made with all the bytes in sight that it may depend on, so blocks leave no trace.
        while start < len(held) and (block is None or len(held) - start > most):
            end = _end(strict, loose, start, least, average, most, len(held))
            yield held[start:end]
            start = end
        held = held[start:]


def chunk_file(path: Path, average: int = AVERAGE) -> tuple[Chunk, ...]:
    """The chunks of a file: hash and size of each."""
    with path.open("rb") as file:
        return tuple(Chunk(hashlib.sha256(piece).hexdigest(), len(piece)) for piece in cut(file, average))


def missing_bytes(wanted: tuple[Chunk, ...], held: frozenset[str]) -> int:
    """Bytes of the chunks that are not held, each counted once: what a delta has to bring."""
    return sum({chunk.sha256: chunk.size for chunk in wanted if chunk.sha256 not in held}.values())


def _places(data: bytes, average: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where a chunk may end (an index of the byte after it): by the strict mask, and by the loose one."""
    gear = _GEAR[np.frombuffer(data, np.uint8)]
    width = 1
    while width < _WINDOW:
        later = gear.copy()
        later[width:] += gear[:-width] << np.uint32(width)
        gear, width = later, 2 * width
    bits = average.bit_length() - 1
    # The top bits of the hash depend on the whole window, the low ones on its last bytes only.
    loose = np.flatnonzero(gear >> np.uint32(32 - (bits - 2)) == 0)
    strict = loose[gear[loose] >> np.uint32(32 - (bits + 2)) == 0]
    return strict + 1, loose + 1


def _end(
    strict: NDArray[np.int64],
    loose: NDArray[np.int64],
    start: int,
    least: int,
    average: int,
    most: int,
    length: int,
) -> int:
    # A window must lie within its chunk, for what stands before may be different elsewhere.
    for places, low, high in ((strict, start + least, start + average), (loose, start + average, start + most)):
        index = int(np.searchsorted(places, low))
        if index < len(places) and places[index] < min(high, length):
            return int(places[index])
    return min(start + most, length)
