import hashlib
import io
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.chunks import AVERAGE, chunk_file, cut, missing_bytes

NOISE = np.random.default_rng(1).bytes(3 * 2**20)


def cuts(content: bytes, average: int = 128) -> list[bytes]:
    return list(cut(io.BytesIO(content), average))


@given(st.binary(max_size=4000))
@settings(max_examples=50, deadline=None)
def test_chunks_are_the_file_and_keep_to_their_sizes(content: bytes) -> None:
    pieces = cuts(content)
    assert b"".join(pieces) == content
    assert all(32 <= len(piece) <= 512 for piece in pieces[:-1])
    assert all(pieces)


@given(st.integers(0, 60_000), st.binary(max_size=300), st.integers(0, 300))
@settings(max_examples=30, deadline=None)
def test_a_change_moves_only_the_chunks_around_it(place: int, inserted: bytes, removed: int) -> None:
    content = NOISE[:60_000]
    changed = content[:place] + inserted + content[place + removed :]
    held = set(cuts(content))
    fresh = sum(len(piece) for piece in cuts(changed) if piece not in held)
    assert fresh <= len(inserted) + 12 * 512


def test_the_average_is_about_what_was_asked_for() -> None:
    pieces = cuts(NOISE, AVERAGE)
    assert 0.7 * AVERAGE < len(NOISE) / len(pieces) < 1.5 * AVERAGE


def test_what_is_read_at_once_leaves_no_trace() -> None:
    """A file that dribbles in is cut like one that comes whole."""

    class Dribble(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(random.Random(size).randint(1, 900))

    content = NOISE[:50_000]
    assert list(cut(Dribble(content), 128)) == cuts(content)


def slowly(content: bytes, average: int) -> list[bytes]:
    """The algorithm as its paper tells it: one byte after the other."""
    gear = [int.from_bytes(hashlib.sha256(bytes([value])).digest()[:4], "big") for value in range(256)]
    bits, pieces, start = average.bit_length() - 1, list[bytes](), 0
    while start < len(content):
        value, end = 0, start
        while end < len(content):
            value = ((value << 1) + gear[content[end]]) % 2**32
            end += 1
            length = end - start
            zeros = bits + 2 if length < average else bits - 2
            if length >= average * 4 or (length >= average // 4 and value >> (32 - zeros) == 0):
                break
        pieces.append(content[start:end])
        start = end
    return pieces


@pytest.mark.parametrize(
    "content", [NOISE[:30_000], bytes(5_000), bytes(range(256)) * 40, b"to be or not to be " * 200]
)
def test_cuts_are_those_of_the_paper(content: bytes) -> None:
    """Cuts are part of the format: other ones would make every file new to every device."""
    assert cuts(content) == slowly(content, 128)


def test_one_byte_more_of_the_same_is_no_new_file(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(NOISE[: 2**20])
    new.write_bytes(b"!" + NOISE[: 2**20])
    held = frozenset(chunk.sha256 for chunk in chunk_file(old))
    fresh = chunk_file(new)
    assert 0 < missing_bytes(fresh, held) < 4 * AVERAGE
    assert missing_bytes(fresh, frozenset()) == 2**20 + 1
    # A chunk that comes twice is brought once.
    assert missing_bytes((*fresh, *fresh), frozenset()) == 2**20 + 1


@pytest.mark.parametrize("average", [0, 64, 100, 129])
def test_an_average_is_a_power_of_two(average: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        cuts(b"x", average)
