"""A student of a toy teacher from a handful of examples, the way the command does it."""

import numpy as np
import pytest
from rich.progress import Progress

from agents.classifier import OUT_OF_SCOPE
from agents.examples import Example
from agents.training import train
from app.distilling.student import distil_student
from app.distilling.teacher import Teacher
from app.distilling.texts import Made, Texts, make_texts
from core.hashing import Hashing
from finetune.student.distil import Schedule
from finetune.student.patterns import Patterns
from tests.fakes.meaning import KnownWords

RANDOM = np.random.default_rng(0)
FILLING = "please my the is so now here what about again".split()
LABELS = {"tent": "tents", "boot": "boots", "lamp": "lamps", "moon": OUT_OF_SCOPE}
EMBEDDINGS = KnownWords(*LABELS)
EXAMPLES = [
    Example(f"{word} {' '.join(RANDOM.choice(FILLING, 4))} {number}", {"matter": label})
    for number in range(20)
    for word, label in LABELS.items()
]
MADE = Made(close=2, far=1, joined=1, drawn=40)
PATTERNS = Patterns({"ask": ["(where|when) is the (tent|boot)"]}, {})
SCHEDULE = Schedule(width=16, epochs=10, batch=16, peak=0.02)


@pytest.fixture(scope="module")
def texts() -> Texts:
    return made()


def made(held_out: tuple[str, ...] = ()) -> Texts:
    with Progress(disable=True) as progress:
        return make_texts(
            EXAMPLES, ["camp", "sun"], EMBEDDINGS, progress, made=MADE, patterns=PATTERNS, more=["a lamp of more"],
            held_out=held_out,
        )  # fmt: skip


@pytest.fixture(scope="module")
def teacher(texts: Texts) -> Teacher:
    labels = [each.labels["matter"] for each in EXAMPLES]
    return Teacher({"matter": train([each.text for each in EXAMPLES], labels, texts.vectors[: len(EXAMPLES)]).weights})


def test_texts_begin_with_the_examples_and_know_their_origin(texts: Texts) -> None:
    assert [*texts.texts[: len(EXAMPLES)]] == [each.text for each in EXAMPLES]
    assert len(set(texts.texts)) == len(texts.texts) == len(texts.vectors) == len(texts.origins)
    origins = dict(zip(texts.texts, texts.origins, strict=True))
    assert origins["a lamp of more"] == ()
    assert origins["where is the tent"] == ()
    assert {len(each) for each in texts.origins} == {0, 1, 2}
    vector = EMBEDDINGS.embed_query(texts.texts[-1])
    assert texts.vectors[-1] == pytest.approx(vector, abs=1e-6)


def test_nothing_of_a_held_out_example_is_left(texts: Texts) -> None:
    left = texts.without({0, 3})
    assert not {0, 3} & {place for origins in left.origins for place in origins}
    assert EXAMPLES[0].text not in left.texts
    assert EXAMPLES[1].text in left.texts
    assert len(left.texts) == len(left.vectors) < len(texts.texts)


def test_what_is_made_is_not_too_like_a_held_out_text(texts: Texts) -> None:
    # To these embeddings a text of one tent and no more than that is the same as another such.
    apart = made(held_out=("where is the tent",))
    assert "where is the tent" in texts.texts
    assert "where is the tent" not in apart.texts
    assert [*apart.texts[: len(EXAMPLES)]] == [each.text for each in EXAMPLES]


def test_the_student_decides_as_the_teacher(texts: Texts, teacher: Teacher) -> None:
    told: list[tuple[str, int, int]] = []
    distilled = distil_student(
        EXAMPLES, texts, teacher, schedule=SCHEDULE, buckets=256, progress=lambda *each: told.append(each)
    )
    card = distilled.card
    assert card.heads[0].labels == ("boots", "lamps", "tents")
    assert card.line is not None
    logits = distilled.weights.logits(Hashing(256).matrix(["my tent please", "boot again here", "the moon is here"]))
    assert card.probabilities(logits)["matter"][:2].argmax(axis=1).tolist() == [2, 0]
    assert (card.familiarity(logits) >= card.line).tolist()[::2] == [True, False]
    (measured,) = distilled.measured
    assert measured.accuracy >= 0.9
    assert 0 < measured.cases < 16
    assert distilled.recall is not None
    assert distilled.texts == len(texts.texts)
    assert told[-1] == ("the student", 10, 10)


def test_a_persons_label_counts_with_the_teachers(texts: Texts, teacher: Teacher) -> None:
    from app.distilling.student import TOLD, _told

    wrong = [Example(EXAMPLES[0].text, {"matter": "boots"}), *EXAMPLES[1:]]
    before, after = teacher.thinks(texts.texts, texts.vectors)["matter"], _told(teacher, texts, wrong)["matter"]
    assert after[0] == pytest.approx((1 - TOLD) * before[0] + TOLD * np.array([1, 0, 0, 0]), abs=1e-6)
    assert after.sum(axis=1) == pytest.approx(np.ones(len(texts.texts)), abs=1e-5)
    assert np.array_equal(after[len(EXAMPLES) :], before[len(EXAMPLES) :])
