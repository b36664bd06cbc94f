"""Learning from corrections on a toy: what is learned, what must not be lost, and where the weights go."""

from pathlib import Path

import numpy as np
import pytest

from agents.classifier import Classifier, Weights
from agents.examples import Example, read_examples
from agents.router import FOLDER, Router, Specialist, weights_of
from app.demo.labelled import halves, held_out_ticket, labelled_tickets
from app.learning import HELD_OUT, Taught, held_out, keep, teach
from tests.fakes.meaning import KnownWords

EMBEDDINGS = KnownWords("order", "manual", "stock", "person", "gizmo")
ROUTES = {"order": "support", "manual": "knowledge", "stock": "procurement", "person": "person"}
RANDOM = np.random.default_rng(0)
FILLING = "please my the is so now here what about again".split()


def said(word: str, route: str, count: int) -> list[Example]:
    return [Example(f"{word} {' '.join(RANDOM.choice(FILLING, 4))}", {"route": route}) for _ in range(count)]


KNOWN = [each for word, route in ROUTES.items() for each in said(word, route, 30)]


def decided(taught: Taught, text: str) -> str:
    return Classifier(taught.trained.weights).decide(text, EMBEDDINGS.embed_query(text)).label


def test_corrections_change_decisions_and_what_was_known_stays() -> None:
    (taught,) = teach(KNOWN, said("gizmo", "procurement", 12), EMBEDDINGS).values()
    assert decided(taught, "gizmo gizmo") == "procurement"
    assert not taught.worse
    assert taught.known is not None
    assert taught.corrected is not None
    assert taught.known.after >= 0.95
    assert taught.corrected[0] < taught.corrected[1]


def test_a_correction_of_a_known_text_replaces_its_label() -> None:
    wrong = KNOWN[0]
    taught = teach(KNOWN, [Example(wrong.text, {"route": "person"})], EMBEDDINGS)["route"]
    assert taught.trained.examples == len({each.text for each in KNOWN})
    assert taught.known is not None
    assert taught.known.cases == taught.trained.examples - 1


def test_only_corrected_heads_are_trained_unless_told() -> None:
    known = [*KNOWN, *(Example(each.text, {"sentiment": "neutral"}) for each in KNOWN[:5])]
    known += [Example(each.text, {"sentiment": "negative"}) for each in KNOWN[40:45]]
    assert teach(known, [], EMBEDDINGS) == {}
    every = teach(known, said("gizmo", "person", 3), EMBEDDINGS, every_head=True)
    assert list(every) == ["route", "sentiment"]
    assert (every["sentiment"].known, every["sentiment"].corrections, every["sentiment"].worse) == (None, 0, False)


def test_nonsense_that_costs_what_was_known_is_not_put_in_place(tmp_path: Path) -> None:
    # Somebody says of orders, in the words that orders have, that they belong to a person; and the other way round.
    nonsense = [*said("order", "person", 45), *said("person", "support", 45)]
    taught = teach(KNOWN, nonsense, EMBEDDINGS)
    assert taught["route"].worse
    (tmp_path / "route.npz").write_bytes(b"what was there")
    keep(taught, tmp_path)
    assert (tmp_path / "route.npz").read_bytes() == b"what was there"


def test_a_head_that_nobody_corrects_any_more_is_the_repository_s_again(tmp_path: Path) -> None:
    keep(teach(KNOWN, said("gizmo", "procurement", 12), EMBEDDINGS), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["route.npz"]
    keep({}, tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_the_workspace_s_weights_come_before_the_repository_s(tmp_path: Path) -> None:
    assert weights_of("route", tmp_path).labels == weights_of("route").labels == tuple(sorted(Specialist))
    keep(teach(KNOWN, said("gizmo", "procurement", 12), EMBEDDINGS), tmp_path)
    own = Router.shipped(EMBEDDINGS, tmp_path)
    assert (await own.route("gizmo gizmo")).specialist is Specialist.PROCUREMENT
    assert Weights.load(FOLDER / "route.npz").ngrams.vocabulary != weights_of("route", tmp_path).ngrams.vocabulary


@pytest.mark.parametrize("name", ["heldout.jsonl", "actions.jsonl"])
def test_evaluation_s_own_texts_are_known(name: str) -> None:
    is_held_out = held_out()
    texts = [each.text for each in read_examples(HELD_OUT / "routing" / name)]
    assert all(is_held_out(f"  {text.upper()}\n") for text in texts)
    assert is_held_out("I live in Portugal, what would next-day or fast delivery set me back?")
    assert not is_held_out("Where is my yellow tent?")


def test_held_out_tickets_are_known_whatever_stands_in_their_gaps() -> None:
    is_ticket = held_out_ticket()
    learned, held = halves()
    assert all(is_ticket(ticket.text) for ticket in held)
    assert not any(is_ticket(ticket.text) for ticket in learned)
    gaps = next(ticket for ticket in labelled_tickets() if ticket in held and "ORD-10421" in ticket.text)
    assert is_ticket(gaps.text.replace("ORD-10421", "ORD-77777"))
    assert not is_ticket(gaps.text + " And another thing.")
