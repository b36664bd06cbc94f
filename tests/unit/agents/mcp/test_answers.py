"""What is passed on of a stranger's answer."""

from __future__ import annotations

from typing import Any

import pytest

from agents.mcp.answers import storable, understood
from core.canonical import canonical


def text(*texts: str, **more: Any) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": each} for each in texts], **more}


def test_words_and_objects_are_passed_on() -> None:
    said = understood(text("one", "two", structuredContent={"n": 1}), 100)
    assert (said.content, said.failed) == ({"text": "one\ntwo", "structured": {"n": 1}}, False)
    assert understood({"content": []}, 100).content == {"text": ""}


def test_a_failure_is_one_line() -> None:
    said = understood(text("no\n\n  way", isError=True), 100)
    assert (said.failed, said.refusal) == (True, "no way")
    assert len(understood(text("x" * 9000, isError=True), 10_000).refusal) == 300
    assert understood({"isError": True}, 100).refusal == "it did not say why"


def test_what_is_too_long_is_cut_and_says_so() -> None:
    assert understood(text("x" * 11), 10).content == {"text": "x" * 10, "truncated": True}
    kept = understood(text("short", structuredContent={"n": "x" * 50}), 20)
    assert kept.content == {"text": "short", "truncated": True}


def test_what_is_no_text_is_told_of_and_not_passed_on() -> None:
    blocks = [
        {"type": "image", "data": "AAAA" * 10, "mimeType": "image/png"},
        {"type": "resource_link", "uri": "file:///x", "name": "x"},
        {"type": "resource", "resource": {"uri": "file:///y", "blob": "AAAA", "mimeType": "application/pdf"}},
        {"type": "resource", "resource": {"uri": "file:///z", "text": "inside"}},
        {"type": "hologram"},
    ]
    assert understood({"content": blocks}, 100).content == {
        "text": "inside",
        "attachments": [
            {"kind": "image", "media_type": "image/png", "bytes": 30},
            {"kind": "resource_link", "uri": "file:///x", "name": "x"},
            {"kind": "resource", "media_type": "application/pdf", "uri": "file:///y", "bytes": 3},
            {"kind": "hologram"},
        ],
    }
    many = understood({"content": [{"type": "image"}] * 150}, 100).content
    assert (len(many["attachments"]), many["truncated"]) == (100, True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("a\0b\ud800", "a\ufffdb\ufffd"),
        (2**60, str(2**60)),
        (float("inf"), "inf"),
        ({"a\0": [1, 2.5, True, None]}, {"a\ufffd": [1, 2.5, True, None]}),
    ],
)
def test_whatever_it_is_the_ledger_can_keep_it(value: Any, kept: Any) -> None:
    assert storable(value) == kept
    canonical(storable(value))


def test_what_is_too_deep_ends() -> None:
    value: Any = "end"
    for _ in range(500):
        value = [value]
    canonical(storable(value))
