"""A small student of a toy teacher: one word gives a label away, and a word may be misspelt."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import ConversionFailed, CorruptArtefact
from core.hashing import Hashing
from core.studentcard import Head, StudentCard
from finetune.student.calibrate import calibrated
from finetune.student.distil import Floats, Lesson, Schedule, distil
from finetune.student.weights import StudentWeights

RANDOM = np.random.default_rng(0)
FILLING = "please my the is so now here what about again".split()
WORDS = ("tent", "boot", "lamp", "moon")
HEADS = (
    Head(name="matter", labels=("tents", "boots", "lamps"), strange=True),
    Head(name="haste", labels=("no", "yes"), strange=False),
)
CARD = StudentCard(buckets=256, heads=HEADS)
SCHEDULE = Schedule(width=16, epochs=12, batch=16, peak=0.02)


def message(number: int) -> str:
    filling = RANDOM.choice(FILLING, 3).tolist()
    return " ".join([WORDS[number % 4], *filling, "quick" if number % 8 >= 4 else "calmly"])


TEXTS = [message(number) for number in range(240)]
TARGETS = {
    "matter": np.array([np.where(np.arange(4) == number % 4, 0.91, 0.03) for number in range(240)], np.float32),
    "haste": np.array([[0.1, 0.9] if number % 8 >= 4 else [0.9, 0.1] for number in range(240)], np.float32),
}
MEANINGS = RANDOM.normal(size=(4, 6)).astype(np.float32)[np.arange(240) % 4]


@pytest.fixture(scope="module")
def weights() -> StudentWeights:
    return distil(Lesson(TEXTS, TARGETS, MEANINGS), HEADS, Hashing(256), SCHEDULE)


def logits_of(weights: StudentWeights, *texts: str) -> Floats:
    return weights.logits(Hashing(256).matrix([*texts]))


def test_a_student_learns_what_its_teacher_thinks(weights: StudentWeights) -> None:
    logits = logits_of(weights, "the tent calmly", "a lamp, quick", "lamps again, quickly")
    parts = CARD.split(logits)
    assert parts["matter"][:, :3].argmax(axis=1).tolist() == [0, 2, 2]
    assert parts["haste"].argmax(axis=1).tolist() == [0, 1, 1]
    # As sure as the teacher, not surer: what was learned are the probabilities.
    shares = CARD.probabilities(logits_of(weights, *TEXTS))["haste"].max(axis=1)
    assert 0.82 < shares.mean() < 0.97


def test_a_strange_text_is_less_familiar(weights: StudentWeights) -> None:
    known, strange = CARD.familiarity(logits_of(weights, "the boot please calmly", "the moon please calmly"))
    assert known > 0 > strange


def test_equal_seeds_give_equal_weights_and_leave_torch_alone(weights: StudentWeights) -> None:
    import torch

    threads, state = torch.get_num_threads(), torch.get_rng_state()
    again = distil(Lesson(TEXTS, TARGETS, MEANINGS), HEADS, Hashing(256), SCHEDULE)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(again.body, weights.body)
    other = distil(Lesson(TEXTS, TARGETS), HEADS, Hashing(256), SCHEDULE, seed=1)
    assert not np.array_equal(other.body, weights.body)


def test_a_lesson_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"haste needs targets of shape \(240, 2\)"):
        distil(Lesson(TEXTS, {**TARGETS, "haste": TARGETS["matter"]}), HEADS, Hashing(256))
    with pytest.raises(ValueError, match="nothing to learn from"):
        distil(Lesson([], TARGETS), HEADS, Hashing(256))


def test_progress_is_told_with_a_falling_loss() -> None:
    told: list[tuple[int, int, float]] = []
    distil(Lesson(TEXTS, TARGETS), HEADS, Hashing(256), SCHEDULE, progress=lambda *each: told.append(each))
    assert [done for done, _, _ in told] == list(range(1, 13))
    assert {whole for _, whole, _ in told} == {12}
    assert told[-1][2] < told[0][2]


def test_weights_survive_their_file(tmp_path: Path, weights: StudentWeights) -> None:
    path = tmp_path / "student.npz"
    weights.save(path)
    assert np.array_equal(logits_of(StudentWeights.load(path), *TEXTS), logits_of(weights, *TEXTS))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CorruptArtefact, match="holds no weights of a student"):
        StudentWeights.load(path)


def test_calibration_sets_temperatures_and_the_line() -> None:
    # Twenty texts in scope whose logits are ten times too sure: a quarter of them is wrong.
    logits = np.zeros((24, 6), np.float32)
    wanted: list[str | None] = []
    for place in range(20):
        given = place % 3
        logits[place, given] = 20
        wanted.append(("tents", "boots", "lamps")[(given + 1) % 3 if place % 4 == 0 else given])
    logits[20:, 3] = 9
    wanted += [None] * 4
    inside = np.arange(24) < 20
    card = calibrated(CARD, logits, {"matter": wanted}, inside, lambda _shares, right: float(right.mean()))
    assert card.probabilities(logits)["matter"][:20].max(axis=1) == pytest.approx([0.75] * 20, abs=0.02)
    assert card.heads[0].sure == 0.75
    assert card.heads[1] == HEADS[1]
    assert card.line is not None
    assert ((card.familiarity(logits) >= card.line) == inside).all()


def test_a_converter_that_fails_says_why_and_leaves_nothing(tmp_path: Path, weights: StudentWeights) -> None:
    import sys

    from finetune.student.export import export

    # The project's own environment has no converter.
    with pytest.raises(ConversionFailed, match="litert_torch"):
        export(weights, tmp_path / "out" / "student.tflite", Path(sys.executable))
    assert [*(tmp_path / "out").iterdir()] == []
