import numpy as np

from agents.ngrams import Ngrams, grams


def test_words_pairs_and_numbers() -> None:
    assert grams("Cancel ORD-10421!") == ["cancel", "ord", "#", "cancel ord", "ord #"]
    assert grams("") == []


def test_the_vocabulary_has_what_occurs_often_enough() -> None:
    texts = ["a tent", "a boot", "the boot"]
    assert Ngrams.of(texts, least=2).vocabulary == ("a", "boot")
    assert Ngrams.of(texts, least=1).vocabulary == ("a", "a boot", "a tent", "boot", "tent", "the", "the boot")


def test_rare_words_weigh_more_and_the_whole_has_unit_length() -> None:
    ngrams = Ngrams.of(["a tent", "a boot", "a lamp lamp"], least=1)
    places, weights = ngrams.weigh("A tent")
    assert [ngrams.vocabulary[place] for place in places] == ["a", "a tent", "tent"]
    assert np.isclose(np.linalg.norm(weights), 1)
    assert weights[2] > weights[0]


def test_a_text_of_unknown_words_weighs_nothing() -> None:
    places, weights = Ngrams.of(["a tent"], least=1).weigh("unheard of")
    assert places.size == weights.size == 0
