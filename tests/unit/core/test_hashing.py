from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.hashing import CUT, WORDS, Hashing, plain

# For whoever ports this: the words read, how many of 4,096 places are taken, the sum of their numbers, and the five
# heaviest with their weights.
GOLDEN = {
    "Cancel ORD-10421, please!": (
        b" cancel ord 0 please ! ", 66, 146_636,
        [(249, 0.46243), (1563, 0.46243), (2263, 0.46243), (142, 0.33333), (1136, 0.33333)],
    ),
    "Where\u2019s my tent?": (
        b" where's my tent ? ", 53, 102_736,
        [(2405, 0.5223), (3915, 0.5223), (116, 0.37796), (256, 0.37796), (1326, 0.37796)],
    ),
    "\u65e5\u672c tent": (
        b" \xe6\x97\xa5\xe6\x9c\xac tent ", 33, 73_606,
        [(1520, 0.57735), (1707, 0.57735), (2584, 0.57735), (44, 0.18257), (132, 0.18257)],
    ),
    "no": (b" no ", 3, 2_685, [(47, 1.57735), (412, 0.57735), (2226, 0.57735)]),
    " \n": (b" ", 0, 0, []),
}  # fmt: skip


@pytest.mark.parametrize("text", GOLDEN)
def test_a_port_must_give_the_same_numbers(text: str) -> None:
    said, taken, total, heaviest = GOLDEN[text]
    vector = Hashing().vector(text)
    places = np.flatnonzero(vector).tolist()
    assert plain(text) == said
    assert (len(places), sum(places)) == (taken, total)
    ranked = sorted(places, key=lambda place: (-vector[place], place))[:5]
    assert ranked == [place for place, _ in heaviest]
    assert vector[ranked] == pytest.approx([weight for _, weight in heaviest], abs=1e-5)


def fnv(gram: bytes) -> int:
    value = 2166136261
    for byte in gram:
        value = ((value ^ byte) * 16777619) % 2**32
    return value ^ (value >> 16)


def as_documented(text: str, buckets: int) -> list[float]:
    """The module's five steps as one reads them, a gram at a time."""
    said = plain(text)
    words = said.split()
    characters = [said[at : at + n] for n in (3, 4, 5) for at in range(len(said) - n + 1)]
    spans = [b" " + word + b" " for word in words]
    spans += [b" " + b" ".join(pair) + b" " for pair in pairwise(words)]
    vector = [0.0] * buckets
    for grams, length in ((characters, 1.0), (spans, WORDS)):
        for place, count in Counter(fnv(gram) % buckets for gram in grams).items():
            vector[place] += length * (count / len(grams)) ** 0.5
    return vector


@given(st.text(max_size=60))
def test_it_is_what_the_document_says(text: str) -> None:
    assert Hashing(64).vector(text).tolist() == pytest.approx(as_documented(text, 64), abs=1e-5)


def test_case_digits_and_other_marks_make_no_difference() -> None:
    hashing = Hashing()
    assert np.array_equal(hashing.vector("Where is ORD-10421?"), hashing.vector("where is: ord / 77 ?"))
    assert not np.array_equal(hashing.vector("Where is it?"), hashing.vector("Where is it"))


def test_a_long_text_counts_with_its_beginning() -> None:
    # The cut falls into the two bytes of the last letter, which is left out whole.
    beginning = "a " * (CUT // 2 - 1) + "b"
    assert plain(beginning + "é" + " and more" * 9) == plain(beginning)


def test_a_word_counts_with_its_beginning() -> None:
    assert plain("x" * 24) == plain("x" * 900)


@pytest.mark.parametrize("buckets", [0, 1, 1000])
def test_buckets_are_a_power_of_two(buckets: int) -> None:
    with pytest.raises(ValueError, match=f"{buckets} buckets"):
        Hashing(buckets)


def test_a_matrix_has_a_row_a_text() -> None:
    hashing = Hashing(128)
    rows = hashing.matrix(["a tent", "a stove"])
    assert np.array_equal(rows, np.stack([hashing.vector("a tent"), hashing.vector("a stove")]))
    assert hashing.matrix([]).shape == (0, 128)
