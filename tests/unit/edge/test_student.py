"""The student that ships, run as a device does, and files that are not one."""

import hashlib
import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="needs LiteRT: pip install -c constraints.txt -e '.[edge]'")

from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-untyped]

from agents.actions import ACTIONS
from agents.examples import read_examples
from agents.router import FOLDER, Specialist
from core.errors import CorruptArtefact
from core.hashing import Hashing
from core.studentcard import Floats, StudentCard
from core.tickets import TicketPriority
from edge.student import SHIPPED, Student

TEXTS = [each.text for each in read_examples(FOLDER / "examples.jsonl")][::4]


@pytest.fixture(scope="module")
def student() -> Student:
    return Student.shipped()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for suffix in (".tflite", ".json"):
        shutil.copy(SHIPPED.with_suffix(suffix), tmp_path)
    return tmp_path / SHIPPED.name


def test_it_is_small_enough_for_a_phone() -> None:
    assert SHIPPED.stat().st_size <= 400_000


def test_its_labels_are_the_words_of_the_house(student: Student) -> None:
    labels = {head.name: set(head.labels) for head in student.card.heads}
    assert labels == {"route": set(Specialist), "action": set(ACTIONS), "priority": set(TicketPriority)}


def test_it_decides(student: Student) -> None:
    wishes = {
        "cancel order ORD-10421 please": "cancel_order",
        "where is my parcel?": "lookup_order",
        "let me talk to a human": "escalate_to_human",
        "which items do we need to reorder?": "suggest_reorders",
    }
    for text, wish in wishes.items():
        opinion = student.judge(text)
        answer = opinion.heads["action"]
        assert (answer.label, opinion.in_scope) == (wish, True), text
        assert answer.probability == max(answer.probabilities.values())
        assert sum(answer.probabilities.values()) == pytest.approx(1)
        assert set(answer.probabilities) == set(ACTIONS)
    assert not student.judge("tell me a joke about the weather in Oslo").in_scope


def test_sure_is_from_the_cards_probability_on(copied: Path) -> None:
    card = StudentCard.read(copied.with_suffix(".json"))
    heads = tuple(
        head.model_copy(update={"sure": sure}) for head, sure in zip(card.heads, (0.0, 1.0, 1.0), strict=True)
    )
    opinion = Student(copied, card.model_copy(update={"heads": heads})).judge("where is my parcel?")
    assert [opinion.heads[name].sure for name in ("route", "action")] == [True, False]


def floating(texts: list[str]) -> Floats:
    """What the shipped weights give in float: int8 times scale, as the file says, in numpy."""
    interpreter = Interpreter(str(SHIPPED))
    interpreter.allocate_tensors()
    weights, biases = [], []
    for each in interpreter.get_tensor_details():
        scales = each["quantization_parameters"]["scales"]
        if each["dtype"] is np.int8 and len(each["shape"]) == 2 and scales.size:
            weights.append(interpreter.get_tensor(each["index"]).astype(np.float32) * scales[:, None])
        elif each["dtype"] is np.float32 and len(each["shape"]) == 1 and each["shape"][0] > 1:
            biases.append(interpreter.get_tensor(each["index"]))
    layers = [(weight, next(bias for bias in biases if bias.shape[0] == weight.shape[0])) for weight in weights]
    layers.sort(key=lambda layer: -layer[0].shape[1])
    (body, body_bias), (heads, heads_bias) = layers
    inner: Floats = np.maximum(Hashing().matrix(texts) @ body.T + body_bias, 0)
    logits: Floats = inner @ heads.T + heads_bias
    return logits


def test_int8_decides_as_its_own_weights_do_in_float(student: Student) -> None:
    """Measured: no decision of 179 texts differs, and .004 a logit."""
    exact = floating(TEXTS)
    quantised = np.concatenate([student.logits(text) for text in TEXTS])
    for name, part in student.card.split(exact).items():
        same = part.argmax(axis=1) == student.card.split(quantised)[name].argmax(axis=1)
        assert same.mean() >= 0.99, name
    assert np.abs(exact - quantised).mean() < 0.01


def test_threads_take_turns(student: Student) -> None:
    alone = {text: student.logits(text).tolist() for text in TEXTS[:40]}
    found: list[tuple[str, list[float]]] = []

    def work() -> None:
        found.extend((text, student.logits(text).tolist()) for text in alone)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 160
    assert all(logits == alone[text] for text, logits in found)


def test_a_text_without_words_is_judged_too(student: Student) -> None:
    opinion = student.judge(" \n")
    assert set(opinion.heads) == {"route", "action", "priority"}


def test_a_changed_file_is_refused(copied: Path) -> None:
    content = bytearray(copied.read_bytes())
    content[len(content) // 2] ^= 1
    copied.write_bytes(content)
    with pytest.raises(CorruptArtefact, match="but its card says"):
        Student(copied)


def test_a_missing_file_or_card_is_named(copied: Path) -> None:
    card = copied.with_suffix(".json")
    kept = card.read_bytes()
    card.unlink()
    with pytest.raises(CorruptArtefact, match=r"student\.json: no card"):
        Student(copied)
    card.write_bytes(kept)
    copied.unlink()
    with pytest.raises(CorruptArtefact, match=r"student\.tflite: no student"):
        Student(copied)


def test_a_file_that_is_no_model_is_refused(copied: Path) -> None:
    content = b"TFL3, or so it says"
    copied.write_bytes(content)
    card = json.loads(copied.with_suffix(".json").read_text())
    card["sha256"] = hashlib.sha256(content).hexdigest()
    copied.with_suffix(".json").write_text(json.dumps(card))
    with pytest.raises(CorruptArtefact, match="no model that LiteRT runs"):
        Student(copied)


def test_a_card_of_another_model_is_refused(copied: Path) -> None:
    card = StudentCard.read(copied.with_suffix(".json"))
    for wrong in ({"buckets": 2048}, {"heads": card.heads[:1]}):
        with pytest.raises(CorruptArtefact, match="has tensors of"):
            Student(copied, card.model_copy(update=wrong))
