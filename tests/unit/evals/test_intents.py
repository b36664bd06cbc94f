"""The folder of labelled texts, and the routing suite's judgements on answers made by hand."""

from pathlib import Path

import pytest

from agents.classifier import OUT_OF_SCOPE
from core.errors import InvalidInput
from evals.intents import read_intents, read_own
from evals.suites import routing
from evals.suites.routing import Answers, Case, Said

IN, OUT = Case("1", "where is it", "parcel"), Case("2", "sing", OUT_OF_SCOPE)


def folder(path: Path, train: str, test: str) -> Path:
    (path / "train.csv").write_text(f"text,category\n{train}")
    (path / "test.csv").write_text(f"text,category\n{test}")
    return path


def answers(label: str, probability: float = 0.8, *, in_scope: bool = True, seconds: float = 0.004) -> Answers:
    return Answers(Said(label, probability, in_scope), Said("other", 0.5, True), seconds)


def scores(case: Case, out: Answers) -> dict[str, float]:
    found = {scorer.name: scorer.score(case, out) for scorer in routing.SCORERS}
    return {name: score for name, score in found.items() if score is not None and not name.startswith("reference")}


def test_what_is_called_so_or_was_never_trained_is_out_of_scope(tmp_path: Path) -> None:
    intents = read_intents(folder(tmp_path, '"a, b",x\nc,OOS\nd,y\n', "e,x\nf,oos\ng,unheard\n"))
    assert intents.train == [("a, b", "x"), ("c", OUT_OF_SCOPE), ("d", "y")]
    assert intents.test == [("e", "x"), ("f", OUT_OF_SCOPE), ("g", OUT_OF_SCOPE)]


def test_a_folder_as_clinc150_is_published_is_read(tmp_path: Path) -> None:
    (tmp_path / "data_full.json").write_text(
        '{"train": [["a", "x"], ["b", "y"]], "oos_train": [["c", "oos"]], "val": [["v", "x"]], "oos_val": [],'
        ' "test": [["d", "x"]], "oos_test": [["e", "oos"]]}'
    )
    intents = read_intents(tmp_path)
    assert intents.train == [("a", "x"), ("b", "y"), ("c", OUT_OF_SCOPE)]
    assert intents.test == [("d", "x"), ("e", OUT_OF_SCOPE)]
    for broken, complaint in (('{"train": []}', "has no 'test'"), ('{"train": [["a"]]}', "train.0")):
        (tmp_path / "data_full.json").write_text(broken)
        with pytest.raises(InvalidInput, match=complaint):
            read_intents(tmp_path)


@pytest.mark.parametrize(
    ("train", "complaint"), [("a,\n", "line 2: no text or no category"), ("", "no texts"), ('"a,x\n', "no CSV")]
)
def test_what_cannot_be_used_is_named(tmp_path: Path, train: str, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        read_intents(folder(tmp_path, train, "a,x\n"))
    with pytest.raises(InvalidInput, match="cannot read"):
        read_intents(tmp_path / "none")


def test_the_own_messages_were_not_learned_from() -> None:
    own = read_own()
    assert not {text for text, _ in own.train} & {text for text, _ in own.test}
    assert {label for _, label in own.train} == {label for _, label in own.test}


def test_an_in_scope_text_that_is_turned_away_is_wrong() -> None:
    assert scores(IN, answers("parcel")) == {"accuracy": 1, "label_accuracy": 1}
    turned = scores(IN, answers("parcel", in_scope=False))
    assert turned == {"accuracy": 0, "label_accuracy": 1, "out_of_scope_precision": 0}


def test_an_out_of_scope_text_has_to_be_turned_away() -> None:
    assert scores(OUT, answers("parcel")) == {"out_of_scope_recall": 0}
    turned = scores(OUT, answers("parcel", in_scope=False))
    assert turned == {"out_of_scope_recall": 1, "out_of_scope_precision": 1}


def test_the_pooled_figures() -> None:
    rows = [(IN, answers("parcel", 0.6, seconds=0.002)), (OUT, answers("parcel", 0.1, seconds=0.006))]
    pooled = {each.name: each.figure(rows) for each in routing.POOLED}
    assert pooled["ece"] == pytest.approx(0.4)
    assert pooled["latency_p50_ms"] == pytest.approx(4)
    assert routing.ece("ours", rows[1:]) is None
