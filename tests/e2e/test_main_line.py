"""The main line as a newcomer walks it: ask, and the documents answer."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessage, ChatCompletionMessageParam

from tests.e2e.server import Server, command

QUESTION = "How long do I have to send something back?"


@pytest.fixture
def client(demo_server: Server) -> Iterator[OpenAI]:
    with demo_server.openai() as opened:
        yield opened


def ask(client: OpenAI, question: str) -> ChatCompletionMessage:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": question}]
    return client.chat.completions.create(model="wayside", messages=messages).choices[0].message


def test_the_first_question_gets_a_cited_answer(demo_server: Server, client: OpenAI) -> None:
    message = ask(client, QUESTION)
    assert message.content is not None and "60 days" in message.content and "[1]" in message.content
    citation = message.annotations[0].url_citation.model_dump()  # type: ignore[index]
    assert citation["verdict"] in {"verbatim", "supported"}
    with demo_server.http() as http:
        document = http.get(f"/api/documents/{citation['document_id']}").raise_for_status().json()
    assert document["title"] == citation["title"]


def test_the_stream_is_the_answer(client: OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="wayside",
            messages=[{"role": "user", "content": QUESTION}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert "60 days" in text
    assert chunks[-1].usage is not None


def test_a_thread_remembers_what_was_asked(client: OpenAI) -> None:
    first = client.chat.completions.with_raw_response.create(
        model="wayside", messages=[{"role": "user", "content": "How long does standard delivery to Germany take?"}]
    )
    thread = first.headers["x-wayside-thread"]
    second = client.chat.completions.create(
        model="wayside",
        messages=[{"role": "user", "content": "And how much does it cost?"}],
        metadata={"thread_id": thread},
    )
    # Alone, the question would be about anything; with the thread it is about delivery.
    cited = second.choices[0].message.annotations or []
    assert [each.url_citation.title for each in cited][:1] == ["Delivery times and prices"]


@pytest.mark.parametrize(
    "question", ["What is the boiling point of tungsten?", "Who won the chess championship in 1985?"]
)
def test_what_no_document_answers_is_declined(client: OpenAI, question: str) -> None:
    message = ask(client, question)
    assert "ticket" in (message.content or "")
    assert not message.annotations


def test_the_command_line_speaks_to_the_running_server(demo_server: Server) -> None:
    asked = subprocess.run(
        command("ask", QUESTION, "--workspace", str(demo_server.workspace)), capture_output=True, text=True, check=True
    )
    assert "60 days" in asked.stdout and "[1]" in asked.stdout


def test_a_document_of_ones_own_is_found_and_forgotten(demo_server: Server, tmp_path: Path) -> None:
    note = tmp_path / "parking.md"
    note.write_text("# Parking at the head office\n\nVisitors park in bay 14 behind the sawmill.\n")
    workspace = ("--workspace", str(demo_server.workspace))
    subprocess.run(command("ingest", str(note), *workspace), check=True, capture_output=True)
    found = subprocess.run(
        command("search", "where do visitors park", *workspace), check=True, capture_output=True, text=True
    )
    assert "bay 14" in found.stdout
    with demo_server.http() as http:
        documents = http.get("/api/documents", params={"limit": 100}).raise_for_status().json()["data"]
        mine = next(document for document in documents if document["source"] == "parking.md")
        http.delete(f"/api/documents/{mine['id']}").raise_for_status()
        hits = http.post("/api/search", json={"query": "where do visitors park"}).raise_for_status().json()["data"]
        assert all(hit["document_id"] != mine["id"] for hit in hits)
