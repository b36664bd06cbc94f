"""Documents attached through both official clients, against a real server."""

from __future__ import annotations

from typing import Any

import pytest
from docx import Document
from langgraph_sdk import get_client
from openai import BadRequestError
from openai.types.chat import ChatCompletionContentPartParam

from tests.e2e.server import Server
from tests.fakes.attaching import data_url
from tests.fakes.documents import pdf, word

LINES = ["Brightwater Tools", "The total amount is 124.70 EUR including VAT.", "Payment is due by 14 July 2026."]


def test_openai_asks_about_a_pdf_and_asks_again(demo_server: Server) -> None:
    file = {"filename": "invoice.pdf", "file_data": data_url(pdf([LINES]), "application/pdf")}
    content: list[ChatCompletionContentPartParam] = [
        {"type": "text", "text": "What is the total amount?"},
        {"type": "file", "file": {"filename": file["filename"], "file_data": file["file_data"]}},
    ]
    with demo_server.openai() as client:
        asked = client.chat.completions.with_raw_response.create(
            model="wayside", messages=[{"role": "user", "content": content}]
        )
        message = asked.parse().choices[0].message
        assert "According to invoice.pdf:" in str(message.content) and "124.70 EUR" in str(message.content)
        citation = message.annotations[0].url_citation  # type: ignore[index]
        assert citation.title == "invoice.pdf" and citation.url.startswith("attachment:")
        again = client.chat.completions.create(
            model="wayside",
            messages=[{"role": "user", "content": "When is the payment due?"}],
            metadata={"thread_id": asked.headers["x-wayside-thread"]},
        )
        assert "14 July 2026" in str(again.choices[0].message.content)
        with pytest.raises(BadRequestError) as refused:
            named: ChatCompletionContentPartParam = {"type": "file", "file": {"file_id": "file-1"}}
            client.chat.completions.create(model="wayside", messages=[{"role": "user", "content": [named]}])
        assert refused.value.param == "messages.0.content.0.file.file_id"


def test_a_response_is_given_a_file(demo_server: Server) -> None:
    file_data = data_url(pdf([LINES]), "application/pdf")
    with demo_server.openai() as client:
        content: list[Any] = [
            {"type": "input_text", "text": "What is the total amount?"},
            {"type": "input_file", "filename": "invoice.pdf", "file_data": file_data},
        ]
        made = client.responses.create(model="wayside", input=[{"role": "user", "content": content}])
        assert "According to invoice.pdf:" in made.output_text and "124.70 EUR" in made.output_text
        (given,) = client.responses.input_items.list(made.id).data
        assert [part.type for part in given.content] == ["input_text", "input_file"]  # type: ignore[union-attr]
        again = client.responses.create(model="wayside", input="When is it due?", previous_response_id=made.id)
        assert "14 July 2026" in again.output_text
        with pytest.raises(BadRequestError) as refused:
            content[1] = {"type": "input_file", "file_id": "file-1"}
            client.responses.create(model="wayside", input=[{"role": "user", "content": content}])
        assert refused.value.param == "input.0.content.1.file_id"
        with pytest.raises(BadRequestError) as broken:
            content[1] = {"type": "input_file", "filename": "x.pdf", "file_data": "no base64"}
            client.responses.create(model="wayside", input=[{"role": "user", "content": content}])
        assert broken.value.param == "input.0.content.1.file_data"


async def test_langgraph_asks_about_a_word_document(demo_server: Server) -> None:
    document = Document()
    for line in LINES:
        document.add_paragraph(line)
    file = {"filename": "invoice.docx", "file_data": data_url(word(document))}
    content = [{"type": "text", "text": "What is the total amount?"}, {"type": "file", "file": file}]
    async with get_client(url=demo_server.url, api_key=demo_server.key) as client:
        thread = (await client.threads.create())["thread_id"]
        question: dict[str, Any] = {"messages": [{"role": "user", "content": content}]}
        told = [
            part.data
            async for part in client.runs.stream(thread, "wayside", input=question, stream_mode="custom")
            if part.event == "custom"
        ]
        answer = told[-1]
        assert answer["type"] == "answer" and "124.70 EUR" in answer["text"]
        assert [each["title"] for each in answer["citations"]] == ["invoice.docx"]
        state = await client.threads.get_state(thread)
        [asked, _] = state["values"]["messages"]  # type: ignore[call-overload]
        assert [each["name"] for each in asked["additional_kwargs"]["attachments"]] == ["invoice.docx"]
        assert "14 July" not in str(state) and "14 July" not in str(await client.runs.list(thread))
        # What a thread shows may be sent back with the next question.
        more = {"messages": [asked, {"role": "user", "content": "When is the payment due?"}]}
        ended = await client.runs.wait(thread, "wayside", input=more)
        assert "14 July 2026" in str(ended["messages"][-1]["content"])  # type: ignore[call-overload]
