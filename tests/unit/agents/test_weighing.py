import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.weighing import HASTE, Witness, hastened, pooled

LABELS = ("low", "normal", "high", "urgent")
shares = st.lists(st.floats(0.01, 1), min_size=4, max_size=4).map(
    lambda weights: dict(zip(LABELS, (weight / sum(weights) for weight in weights), strict=True))
)


def test_the_words_alone_stay_as_they_are() -> None:
    words = {"billing": 0.7, "other": 0.3}
    assert pooled(words, []) == pytest.approx(words)
    assert pooled(words, [Witness("picture 1", {"billing": 0.1, "other": 0.9}, 0.0)]) == pytest.approx(words)


def test_a_clear_picture_decides_what_words_leave_open_and_not_what_they_say() -> None:
    picture = Witness("picture 1", {"billing": 0.96, "other": 0.04}, 0.5)
    assert pooled({"billing": 0.45, "other": 0.55}, [picture])["billing"] > 0.75
    assert pooled({"billing": 0.02, "other": 0.98}, [picture])["billing"] < 0.15


def test_a_label_that_a_picture_does_not_know_is_left() -> None:
    joined = pooled({"billing": 0.5, "other": 0.5}, [Witness("picture 1", {"other": 0.5}, 1.0)])
    assert joined["billing"] == pytest.approx(2 / 3)


@given(shares, st.floats(0.5, 1))
def test_haste_never_makes_a_message_less_urgent(probabilities: dict[str, float], tense: float) -> None:
    moved = hastened(probabilities, LABELS, tense)
    assert sum(moved.values()) == pytest.approx(1)
    for cut in range(1, 4):
        before, after = (sum(shares[label] for label in LABELS[cut:]) for shares in (probabilities, moved))
        assert after >= before - 1e-9


def test_an_even_chance_of_being_tense_says_nothing() -> None:
    probabilities = {"low": 0.1, "normal": 0.5, "high": 0.3, "urgent": 0.1}
    assert hastened(probabilities, LABELS, 0.5) == pytest.approx(probabilities)
    gained = hastened(probabilities, LABELS, 1.0)
    assert gained["high"] / gained["normal"] == pytest.approx(0.6 * math.exp(HASTE))
