import base64

import pytest

from app.attachments import (
    FILES_A_MESSAGE,
    FILES_A_REQUEST,
    READ,
    Attachments,
    without_text,
)
from app.parts import Sent, refuse_media
from core.errors import InvalidInput, TooLarge, UnreadableDocument, UnsupportedMedia, UnsupportedParameter
from core.types import ATTACHED
from retrieval.readers import ReadLimits
from tests.fakes.attaching import data_url
from tests.fakes.documents import pdf

WHERE = "messages.0.content.1.file.file_data"
RENT = (
    "# Tenancy\n\n## Rent\nThe rent is 940 EUR a month, and is paid in advance by the third working day.\n\n"
    "## Pets\nNo dogs."
)


def sent(content: bytes | str, name: str | None = "rent.md") -> Sent:
    return Sent(name, data_url(content if isinstance(content, bytes) else content.encode()), WHERE)


@pytest.fixture
def attachments() -> Attachments:
    return Attachments()


async def test_a_document_is_read_into_passages_under_its_name(attachments: Attachments) -> None:
    [none, [rent]] = await attachments.read("acme", [[], [sent(RENT)]])
    assert none == () and rent.name == "rent.md" and rent.id.startswith(ATTACHED)
    assert all(rent.text[each.start : each.end] == each.text for each in rent.passages)
    assert {(each.document_id, each.title, each.headings[0]) for each in rent.passages} == {
        (rent.id, "rent.md", "Tenancy")
    }


async def test_a_pdf_is_known_by_its_bytes(attachments: Attachments) -> None:
    [[invoice]] = await attachments.read("acme", [[sent(pdf([["The total is 40.00 EUR."]]), None)]])
    assert (invoice.name, invoice.text) == ("attachment", "The total is 40.00 EUR.")


async def test_plain_base64_is_taken_too(attachments: Attachments) -> None:
    [[note]] = await attachments.read("acme", [[Sent("note.txt", base64.b64encode(b"Hello.").decode(), WHERE)]])
    assert note.text == "Hello."


async def test_the_same_file_is_one_and_another_name_is_another(attachments: Attachments) -> None:
    [[once], [again, other]] = await attachments.read(
        "acme", [[sent(RENT), sent(RENT)], [sent(RENT), sent(RENT, "copy.md")]]
    )
    assert once is again and once.id != other.id


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/a[1].txt", "a(1).txt"),
        ("C:\\docs\\a.txt", "a.txt"),
        ("a\nb\u200b.txt", "a b.txt"),
        ("x" * 250 + ".txt", "x" * 100 + "….txt"),
    ],
)
async def test_a_name_is_one_plain_line(attachments: Attachments, name: str, shown: str) -> None:
    [[read]] = await attachments.read("acme", [[sent("Hello.", name)]])
    assert read.name == shown


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (sent(b"", "a.txt"), UnreadableDocument),
        (sent(b"%PDF-1.7 nonsense", "a.pdf"), UnreadableDocument),
        (sent(b"\x89PNG\r\n", "a.png"), UnsupportedMedia),
        (Sent("a.txt", "data:text/plain;base64,%%%", WHERE), InvalidInput),
        (Sent("a.txt", "data:text/plain,hello", WHERE), InvalidInput),
        (Sent("a.txt", "https://example.com/a.txt,", WHERE), InvalidInput),
    ],
)
async def test_what_cannot_be_read_is_refused_where_it_stands(
    attachments: Attachments, given: Sent, error: type[InvalidInput]
) -> None:
    with pytest.raises(error) as refused:
        await attachments.read("acme", [[given]])
    assert (type(refused.value), refused.value.param) == (error, WHERE)


@pytest.mark.parametrize(
    "messages",
    [
        [[sent(RENT)] * (FILES_A_MESSAGE + 1)],
        [[sent(RENT)]] * (FILES_A_REQUEST + 1),
        [[sent(b"x" * 300, "a.txt")]],
        [[sent(b"x " * 60, "a.txt")], [sent(b"y " * 60, "b.txt")]],
        [[sent(b"x " * 120, "a.txt")]],
    ],
)
async def test_too_much_is_refused(messages: list[list[Sent]]) -> None:
    with pytest.raises(TooLarge) as refused:
        await Attachments(ReadLimits(bytes=250, characters=200)).read("acme", messages)
    assert refused.value.param == WHERE


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "system", "content": [{"type": "image_url"}]}, "m.0.content.0.type"),
        ({"role": "assistant", "content": [{"type": "input_audio"}]}, "m.0.content.0.type"),
        ({"role": "assistant", "content": [{"type": "file"}]}, "m.0.content.0.type"),
        ({"role": ["user"], "content": [{"type": "file"}]}, "m.0.content.0.type"),
        ({"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}, "m.0.content.0.file.file_id"),
    ],
)
def test_what_is_not_taken_is_refused_by_name(message: object, param: str) -> None:
    with pytest.raises(UnsupportedParameter) as refused:
        refuse_media([message], "m", media=("user",))
    assert refused.value.param == param


def test_what_is_shown_of_a_request_has_names_only() -> None:
    part = {"type": READ, "attachment": {"id": "attachment:1", "name": "a.txt", "text": "secret", "passages": []}}
    request = {"modes": ["values"], "input": {"messages": [{"role": "user", "content": [part]}]}}
    shown = without_text(request)
    assert shown["input"]["messages"][0]["content"] == [
        {"type": READ, "attachment": {"id": "attachment:1", "name": "a.txt"}}
    ]
    assert request["input"]["messages"][0]["content"] == [part], "what is stored stays whole"  # type: ignore[index]
    plain = {"input": {"messages": [{"role": "user", "content": "hi"}]}}
    assert without_text(plain) is plain and without_text({"input": None}) == {"input": None}
