"""The router's ways out, on weights made by hand: each specialist knows one word."""

import numpy as np
import pytest

from agents.classifier import Classifier, Weights
from agents.ngrams import Ngrams
from agents.router import Observation, Route, Router, Sense, Specialist, Step
from tests.fakes.meaning import KnownWords

WORDS = {"how": "knowledge", "refund": "support", "stock": "procurement", "human": "person"}


def router(*, sure: float = 0.8, labels: tuple[str, ...] = tuple(WORDS.values())) -> Router:
    embeddings = KnownWords(*WORDS)
    # Four known words and one dimension for all the others, which speaks for nobody.
    embedding = np.vstack([np.eye(4), np.zeros(4)]).astype(np.float32) * 8
    weights = Weights(
        labels, Ngrams((), np.zeros(0, np.float32)), embedding, np.zeros((0, 4), np.float32), np.zeros(4, np.float32),
        line=4.0, sure=sure,
    )  # fmt: skip
    return Router(embeddings, Classifier(weights))


async def test_a_clear_turn_goes_to_its_specialist() -> None:
    route = await router().route("refund")
    assert (route.specialist, route.step, route.question) == (Specialist.SUPPORT, Step.GO, "")
    assert route.confidence > 0.99


async def test_who_asks_for_a_person_gets_one() -> None:
    assert (await router().route("human")).step is Step.HAND_OVER


async def test_what_nobody_knows_is_declined() -> None:
    assert await router().route("weather tomorrow") == Route(Specialist.PERSON, 0.0, Step.DECLINE)


async def test_the_unsure_router_asks_once_about_the_two_likeliest() -> None:
    route = await router().route("refund stock")
    assert route.step is Step.ASK
    assert "an order, a payment" in route.question
    assert "check our stock" in route.question
    assert route.confidence == pytest.approx(0.5, abs=0.01)


async def test_unsure_again_goes_to_a_person() -> None:
    route = await router().route("refund stock", asked=True)
    assert (route.specialist, route.step) == (Specialist.PERSON, Step.HAND_OVER)


async def test_an_upset_voice_is_not_asked_back() -> None:
    upset = Observation(Sense.TONE, "upset", 0.9)
    assert (await router().route("refund stock", [upset])).step is Step.HAND_OVER
    doubtful = Observation(Sense.TONE, "upset", 0.3)
    assert (await router().route("refund stock", [doubtful])).step is Step.ASK
    assert (await router().route("refund", [upset])).step is Step.GO


@pytest.mark.parametrize("sense", [Sense.TRANSCRIPT, Sense.OCR])
async def test_words_that_were_heard_or_read_count(sense: Sense) -> None:
    assert (await router().route("", [Observation(sense, "stock", 0.9)])).specialist is Specialist.PROCUREMENT
    assert (await router().route("", [Observation(sense, "stock", 0.2)])).step is Step.ASK
    assert (await router().route("refund", [Observation(Sense.TONE, "stock", 1)])).specialist is Specialist.SUPPORT


async def test_a_long_observation_counts_with_its_beginning() -> None:
    flood = Observation(Sense.OCR, "x" * 500 + " stock" * 100)
    assert (await router().route("refund refund refund", [flood])).specialist is Specialist.SUPPORT


async def test_a_specialist_out_of_reach_is_never_chosen() -> None:
    reachable = (Specialist.KNOWLEDGE, Specialist.SUPPORT, Specialist.PERSON)
    route = await router().route("stock", allowed=reachable)
    assert route.step is Step.ASK
    assert route.specialist in reachable
    assert route.confidence < 0.1
    assert "supplier" not in route.question


def test_labels_that_are_no_specialists_are_refused() -> None:
    with pytest.raises(ValueError, match="plumbing"):
        router(labels=("knowledge", "support", "procurement", "plumbing"))
