"""Training on a toy: three matters that one word each gives away, and texts that belong to none."""

from pathlib import Path

import numpy as np
import pytest

from agents.classifier import OUT_OF_SCOPE, Classifier, Weights, scores
from agents.training import change, train
from core.errors import CorruptArtefact, InvalidInput
from tests.fakes.meaning import KnownWords

EMBEDDINGS = KnownWords("tent", "boot", "lamp", "moon")
RANDOM = np.random.default_rng(0)
FILLING = "please my the is so now here what about again".split()


def messages(word: str, count: int) -> list[str]:
    return [f"{word} {' '.join(RANDOM.choice(FILLING, 3))}" for _ in range(count)]


TEXTS = [*messages("tent", 20), *messages("boot", 20), *messages("lamp", 20), *messages("moon", 20)]
LABELS = ["tents"] * 20 + ["boots"] * 20 + ["lamps"] * 20 + [OUT_OF_SCOPE] * 20
VECTORS = np.asarray(EMBEDDINGS.embed_documents(TEXTS), np.float32)


def decide(weights: Weights, text: str) -> tuple[str, bool]:
    decision = Classifier(weights).decide(text, EMBEDDINGS.embed_query(text))
    return decision.label, decision.in_scope


def test_it_learns_the_labels_and_what_has_none() -> None:
    trained = train(TEXTS, LABELS, VECTORS)
    assert decide(trained.weights, "a new tent") == ("tents", True)
    assert decide(trained.weights, "lamp lamp") == ("lamps", True)
    assert not decide(trained.weights, "moon moon")[1]
    assert trained.closed_accuracy == 1
    assert trained.recall is not None
    assert trained.recall >= 0.9
    assert OUT_OF_SCOPE not in trained.weights.labels
    assert trained.right.shape == (80,)
    assert trained.right[:60].mean() == pytest.approx(trained.accuracy)
    assert trained.right[60:].mean() == pytest.approx(trained.recall)


def test_without_out_of_scope_examples_there_is_a_line_too() -> None:
    trained = train(TEXTS[:60], LABELS[:60], VECTORS[:60])
    assert trained.recall is None
    assert np.isfinite(trained.weights.line)
    assert decide(trained.weights, "boot boot") == ("boots", True)
    assert not decide(trained.weights, "quite another thing")[1]


def test_two_labels_are_enough_and_probabilities_add_up() -> None:
    weights = train(TEXTS[:40], LABELS[:40], VECTORS[:40]).weights
    decision = Classifier(weights).decide("boot", EMBEDDINGS.embed_query("boot"))
    assert decision.label == "boots"
    assert sum(decision.probabilities.values()) == pytest.approx(1)
    assert decision.probability == max(decision.probabilities.values())


@pytest.mark.parametrize(
    ("labels", "complaint"), [(["one"] * 60, "nothing to tell apart"), (["one"] * 59 + ["two"], "'two' has one")]
)
def test_too_little_to_learn_from_is_refused(labels: list[str], complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        train(TEXTS[:60], labels, VECTORS[:60])


def test_saved_weights_decide_the_same_and_equal_weights_give_equal_files(tmp_path: Path) -> None:
    weights = train(TEXTS, LABELS, VECTORS).weights
    for name in ("a", "b"):
        weights.save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    loaded = Weights.load(tmp_path / "a")
    for text in TEXTS[::7]:
        vector = EMBEDDINGS.embed_query(text)
        ours, theirs = Classifier(weights).decide(text, vector), Classifier(loaded).decide(text, vector)
        assert (ours.label, ours.in_scope) == (theirs.label, theirs.in_scope)
        assert ours.probability == pytest.approx(theirs.probability, abs=0.01)
    assert loaded.sure == weights.sure


def test_what_is_no_classifier_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(b"nonsense")
    with pytest.raises(CorruptArtefact, match="holds no classifier"):
        Weights.load(path)
    np.savez(path, other=np.zeros(3))
    with pytest.raises(CorruptArtefact, match="train it anew"):
        Weights.load(path)
    np.savez(path, allow_pickle=True, labels=np.array([{"code": "in a pickle"}], object))
    with pytest.raises(CorruptArtefact, match="holds no classifier"):
        Weights.load(path)


def test_a_likeness_to_out_of_scope_examples_takes_off_the_score() -> None:
    logits = np.array([[1.0, 3.0, 2.0]], np.float32)
    assert scores(logits, 2, 0.5) == [2.0]
    assert scores(logits, 2, 0.0) == [3.0]
    assert scores(logits[:, :2], 2, 0.5) == [3.0]


@pytest.mark.parametrize(
    ("gained", "lost", "worse"), [(0, 0, False), (0, 4, False), (0, 6, True), (10, 16, False), (40, 4, False)]
)
def test_a_change_is_worse_beyond_its_interval_only(gained: int, lost: int, worse: bool) -> None:
    before, after = np.ones(200, bool), np.ones(200, bool)
    before[:gained], after[gained : gained + lost] = False, False
    found = change(before, after)
    assert found.worse is worse
    assert found.low < found.after - found.before < found.high
    assert (found.before, found.after, found.cases) == (1 - gained / 200, 1 - lost / 200, 200)


def test_nothing_has_not_changed() -> None:
    with pytest.raises(ValueError, match="nothing to compare"):
        change(np.ones(0, bool), np.ones(0, bool))
