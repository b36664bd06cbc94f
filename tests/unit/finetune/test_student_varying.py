import numpy as np
import pytest

from finetune.student.varying import Varying, neighbours, words_of

WORDS = ["cancel", "revoke", "tent", "order"]
VECTORS = np.array([[1, 0, 0], [0.9, 0.436, 0], [0, 0, 1], [0, 1, 0]], np.float32)


def test_words_are_small_and_come_once() -> None:
    assert words_of(["Cancel it, CANCEL it!", "where\u2019s ORD-10421"]) == ["cancel", "it", "ord", "where\u2019s"]


def test_neighbours_are_the_alike_and_never_the_word_itself() -> None:
    assert neighbours(WORDS, VECTORS, ["cancel", "tent"]) == {"cancel": ["revoke"], "tent": []}


def test_a_word_without_a_vector_is_named() -> None:
    with pytest.raises(ValueError, match="no vectors of: boat"):
        neighbours(WORDS, VECTORS, ["boat"])


def test_close_texts_use_neighbours_and_keep_what_is_no_word() -> None:
    varying = Varying({"cancel": ["revoke"]}, WORDS, seed=0)
    texts = {varying.close("Cancel ORD-10421, now!") for _ in range(200)}
    assert "Revoke ORD-10421, now!" in texts
    assert "cancel ord-10421, now" in texts
    assert any("Cancel" not in text and "Revoke" not in text and text.startswith("ORD-10421") for text in texts)
    # What stands for a word is a neighbour or the word mistyped, never another.
    assert not any("tent" in text.lower() for text in texts)


def test_far_texts_use_any_word_for_the_long_ones() -> None:
    varying = Varying({}, ["moon"], seed=0)
    texts = {varying.far("The tent is on fire.") for _ in range(100)}
    assert {"The moon is on moon.", "The tent is on fire."} <= texts
    assert all(text.startswith("The ") and " is on " in text for text in texts)


def test_two_texts_are_joined_in_their_middle() -> None:
    assert Varying({}, [], seed=0).joined("one two three", "four five six seven") == "one two six seven"


def test_equal_seeds_give_equal_texts() -> None:
    first, second = (Varying({"cancel": ["revoke"]}, WORDS, seed=3) for _ in range(2))
    text = "Cancel the order of the tent"
    assert [first.close(text) for _ in range(9)] == [second.close(text) for _ in range(9)]
