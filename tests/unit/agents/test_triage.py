import numpy as np
import pytest

from agents.classifier import Classifier, Weights
from agents.ngrams import Ngrams
from agents.triage import Filed, Triage
from tests.fakes.meaning import KnownWords

EMBEDDINGS = KnownWords("parcel", "zip")


def head(*labels: str, sure: float = 0.9) -> Classifier:
    embedding = np.vstack([np.eye(2), np.zeros(2)]).astype(np.float32) * 6
    none = Ngrams((), np.zeros(0, np.float32))
    words, bias = np.zeros((0, 2), np.float32), np.zeros(2, np.float32)
    return Classifier(Weights(labels, none, embedding, words, bias, sure=sure))


def triage() -> Triage:
    heads = {
        "category": head("delivery", "product"),
        "priority": head("high", "low", sure=1.0),
        "sentiment": head("negative", "neutral"),
    }
    return Triage(EMBEDDINGS, heads)


async def test_every_head_judges() -> None:
    triaged = await triage().classify("parcel")
    assert (triaged.category.value, triaged.priority.value, triaged.sentiment.value) == ("delivery", "high", "negative")
    assert triaged.category.sure
    assert not triaged.priority.sure
    assert (await triage().classify("zip")).category.value == "product"


async def test_duplicates_are_the_alike_most_alike_first() -> None:
    filed = [Filed("3", "zip"), Filed("2", "parcel parcel late"), Filed("1", "parcel"), Filed("0", "parcel")]
    found = await triage().duplicates("parcel", filed)
    assert [each.ticket_id for each in found] == ["0", "1", "2"]
    assert found[0].cosine == pytest.approx(1.0)
    assert [each.ticket_id for each in await triage().duplicates("parcel", filed, limit=1)] == ["0"]
    assert await triage().duplicates("parcel", []) == []


def test_labels_that_no_ticket_can_hold_are_refused() -> None:
    heads = {"category": head("delivery", "plumbing"), "priority": head("high", "low"), "sentiment": head("a", "b")}
    with pytest.raises(ValueError, match="plumbing"):
        Triage(EMBEDDINGS, heads)
