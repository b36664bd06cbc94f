from typing import Any

from PIL import Image

from tests.fakes.gateway import Gateway
from tests.fakes.text_reader import labelled

PRINTED = ["LANTERN HARDWARE LTD", "Date: 07/04/2026", "Order ORD-10421", "Total due: EUR 21.20"]


def picture() -> bytes:
    lines = [(text, (10, 10 + 40 * row, 300, 34 + 40 * row)) for row, text in enumerate(PRINTED)]
    return labelled(Image.new("RGB", (320, 200), "white"), lines).content


async def read(served: Gateway, content: bytes, **options: Any) -> Any:
    return await served.call("POST", "/api/pictures/read", files={"file": ("a.png", content, "image/png")}, **options)


async def test_a_picture_is_read_with_its_fields(served: Gateway) -> None:
    answer = await read(served, picture(), role="client")
    body = answer.json()
    assert answer.status_code == 200
    assert (body["width"], body["height"], body["text"]) == (320, 200, "\n".join(PRINTED))
    assert body["lines"][0]["corners"] == [[10, 10], [300, 10], [300, 34], [10, 34]]
    assert {field["name"]: field["value"] for field in body["receipt"]} == {
        "merchant": "LANTERN HARDWARE LTD",
        "date": "2026-04-07",
        "total": "21.20",
    }
    assert [(field["name"], field["value"], field["line"]) for field in body["screen"]] == [
        ("order", "ORD-10421", 2),
        ("amount", "21.20 EUR", 3),
    ]


async def test_without_the_file_the_part_is_named(served: Gateway) -> None:
    answer = await served.call("POST", "/api/pictures/read", files={"other": ("a.png", b"x", "image/png")})
    assert (answer.status_code, answer.json()["param"]) == (400, "file")


async def test_nobody_reads_without_a_key(served: Gateway) -> None:
    answer = await served.http.post("/api/pictures/read", files={"file": ("a.png", picture(), "image/png")})
    assert answer.status_code == 401
