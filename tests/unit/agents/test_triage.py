import numpy as np
import pytest

from agents.classifier import Classifier, Weights
from agents.ngrams import Ngrams
from agents.triage import REMEMBERED, Filed, Triage
from core.media import Heard, Mood, Observed, Seen, Tone
from tests.fakes.meaning import KnownWords

EMBEDDINGS = KnownWords("parcel", "zip")


def head(*labels: str, sure: float = 0.9) -> Classifier:
    embedding = np.vstack([np.eye(2), np.zeros(2)]).astype(np.float32) * 6
    none = Ngrams((), np.zeros(0, np.float32))
    words, bias = np.zeros((0, 2), np.float32), np.zeros(2, np.float32)
    return Classifier(Weights(labels, none, embedding, words, bias, sure=sure))


def triage(embeddings: KnownWords = EMBEDDINGS) -> Triage:
    heads = {
        "category": head("delivery", "product"),
        "priority": head("high", "low", sure=1.0),
        "sentiment": head("negative", "neutral"),
    }
    return Triage(embeddings, heads)


async def test_every_head_judges() -> None:
    triaged = await triage().classify("parcel")
    assert (triaged.category.value, triaged.priority.value, triaged.sentiment.value) == ("delivery", "high", "negative")
    assert triaged.category.sure
    assert not triaged.priority.sure
    assert (await triage().classify("zip")).category.value == "product"


def shown(text: str, confidence: float = 1.0) -> Observed:
    return Observed(seen=(Seen("where", "attachment:1", "picture 1", text, confidence),))


def spoken(mood: Mood, confidence: float) -> Observed:
    tone = Tone(mood, confidence, -20.0, 200.0, 4.0, 5.0, 0.0)
    return Observed((Heard("where", "words", 0.9, 3.0, tone),))


async def test_a_picture_decides_what_words_leave_open() -> None:
    judged = (await triage().classify("hm", shown("zip"))).category
    assert (judged.value, judged.because, judged.sure) == ("product", "picture 1 shows so", False)
    assert (await triage().classify("parcel", shown("zip", 0.5))).category.value == "delivery", "the words said so"
    alone = (await triage().classify("hm")).category
    assert (await triage().classify("hm", shown("zip", 0.0))).category == alone, "nothing of it could be read"
    assert (await triage().classify("hm", shown(""))).category == alone


async def test_a_tense_voice_makes_a_message_more_urgent_and_nothing_else_does() -> None:
    usual = await triage().classify("hm")
    assert usual.priority.confidence == pytest.approx(0.5)
    tense = await triage().classify("hm", spoken(Mood.TENSE, 0.9))
    assert (tense.priority.value, tense.category) == ("high", usual.category)
    for observed in (spoken(Mood.CALM, 0.9), spoken(Mood.TENSE, 0.6), shown("hm")):
        assert (await triage().classify("hm", observed)).priority == usual.priority
    urgent = Triage(
        EMBEDDINGS,
        {
            **{n: head("negative", "neutral") for n in ("sentiment",)},
            "category": head("billing", "other"),
            "priority": head("low", "high"),
        },
    )
    moved = (await urgent.classify("parcel", spoken(Mood.TENSE, 0.9))).priority
    assert (moved.value, moved.because) == ("low", ""), "what is far from urgent stays so"
    moved = (await urgent.classify("hm", spoken(Mood.TENSE, 0.9))).priority
    assert (moved.value, moved.because, moved.sure) == ("high", "the voice sounds tense (90%)", False)


async def test_duplicates_are_the_alike_most_alike_first() -> None:
    filed = [Filed("3", "zip"), Filed("2", "parcel parcel late"), Filed("1", "parcel"), Filed("0", "parcel")]
    found = await triage().duplicates("parcel", filed)
    assert [each.ticket_id for each in found] == ["0", "1", "2"]
    assert found[0].cosine == pytest.approx(1.0)
    assert [each.ticket_id for each in await triage().duplicates("parcel", filed, limit=1)] == ["0"]
    assert await triage().duplicates("parcel", []) == []


async def test_the_customer_s_own_come_first_and_are_marked() -> None:
    filed = [Filed("1", "parcel", "CUS-2"), Filed("2", "parcel parcel late", "CUS-1"), Filed("3", "parcel")]
    found = await triage().duplicates("parcel", filed, customer_id="CUS-1")
    assert [(each.ticket_id, each.same_customer) for each in found] == [("2", True), ("1", False), ("3", False)]
    assert not any(each.same_customer for each in await triage().duplicates("parcel", filed))


class Counting(KnownWords):
    """Remembers how many texts each call had."""

    def __init__(self, *known: str) -> None:
        super().__init__(*known)
        self.calls: list[int] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.calls.append(len(texts))
        return super().embed_documents(texts)


async def test_a_ticket_is_embedded_once_and_again_when_it_was_edited() -> None:
    embeddings = Counting("parcel", "zip")
    triaging = triage(embeddings)
    filed = [Filed("1", "parcel late"), Filed("2", "zip")]
    first = await triaging.duplicates("parcel", filed)
    assert await triaging.duplicates("parcel", filed) == first
    assert embeddings.calls == [3]
    edited = [filed[0], Filed("2", "parcel")]
    assert [each.ticket_id for each in await triaging.duplicates("parcel again", edited)] == ["1", "2"]
    assert embeddings.calls == [3, 1]


async def test_what_is_remembered_is_bounded() -> None:
    embeddings = Counting("parcel")
    triaging = triage(embeddings)
    many = [Filed(f"{number}", f"parcel {number}") for number in range(REMEMBERED + 10)]
    assert len(await triaging.duplicates("parcel", many, limit=len(many))) == len(many)
    await triaging.duplicates("parcel", many[-10:])
    await triaging.duplicates("parcel", many[:10])
    assert embeddings.calls == [len(many) + 1, 1, 10]


def test_labels_that_no_ticket_can_hold_are_refused() -> None:
    heads = {"category": head("delivery", "plumbing"), "priority": head("high", "low"), "sentiment": head("a", "b")}
    with pytest.raises(ValueError, match="plumbing"):
        Triage(EMBEDDINGS, heads)
