import numpy as np
import pytest

from evals.bench.figure import Figure
from evals.bench.load import missing, post
from evals.bench.passages import Corpus


def test_a_figure_compares_medians_and_keeps_the_spread() -> None:
    row = Figure("p50", "ms", (3.0, 9.0, 2.0), (1.0, 2.0, 0.5), "bare").row()
    assert (row["ours"], row["reference"], row["ratio"]) == (3.0, 1.0, 3.0)
    assert row["ours_rounds"] == [2.0, 9.0]
    assert Figure("p50", "ms", (3.0,)).ratio is None


def test_an_answer_is_whole_when_its_length_has_come() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    assert missing(answer) == 0
    assert missing(answer[:-2]) == 2
    assert missing(answer[:20]) > 0


@pytest.mark.parametrize("head", [b"HTTP/1.1 429 Slow\r\ncontent-length: 0", b"HTTP/1.1 200 OK\r\nx-other: 1"])
def test_only_a_200_with_a_length_counts(head: bytes) -> None:
    with pytest.raises(ConnectionError, match="not the answer"):
        missing(head + b"\r\n\r\n")


def test_a_request_says_its_length_and_its_key() -> None:
    head, body = post("/v1/x", {"a": "é"}, "wsk_1").split(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head
    assert b"authorization: Bearer wsk_1" in head
    assert b"authorization" not in post("/v1/x", {})


def test_made_up_passages_are_the_same_every_time() -> None:
    first, again = (list(Corpus(120, ("text",), 16).documents()) for _ in range(2))
    assert [len(document) for document in first] == [50, 50, 20]
    assert first[1][7].passage == again[1][7].passage
    assert np.array_equal(first[2][3].vectors["text"], again[2][3].vectors["text"])
    assert np.linalg.norm(first[0][0].vectors["text"]) == pytest.approx(1)
    assert len({item.passage.text for document in first for item in document}) == 120
