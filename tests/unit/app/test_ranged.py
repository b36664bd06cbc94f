"""Ranges and conditions of RFC 9110, over an application of one file."""

from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.api.ranged import ranged

CONTENT = bytes(range(256)) * 300
START, SIZE = 1_000, 70_000
WANTED = CONTENT[START : START + SIZE]
ETAG = '"abc"'


@pytest.fixture
async def http(tmp_path: Path) -> httpx2.AsyncClient:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)

    async def endpoint(request: Request) -> Response:
        return ranged(request, path, ETAG, size=SIZE, start=START, headers={"cache-control": "private"})

    transport = httpx2.ASGITransport(Starlette(routes=[Route("/", endpoint)]))
    return httpx2.AsyncClient(transport=transport, base_url="http://test")


async def test_the_whole(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/")
    assert (answer.status_code, answer.content) == (200, WANTED)
    assert answer.headers["content-length"] == str(SIZE)
    assert answer.headers["etag"] == ETAG
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "private"
    assert "content-range" not in answer.headers


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=5-9", 5, 9),
        ("bytes=69999-", 69_999, 69_999),
        ("bytes=100-", 100, 69_999),
        ("bytes=100-999999999999", 100, 69_999),
        ("bytes=-1", 69_999, 69_999),
        ("bytes=-70000", 0, 69_999),
        ("bytes=-999999", 0, 69_999),
        ("Bytes = 5-9 ", 5, 9),
    ],
)
async def test_a_range(http: httpx2.AsyncClient, asked: str, first: int, last: int) -> None:
    answer = await http.get("/", headers={"range": asked})
    assert (answer.status_code, answer.content) == (206, WANTED[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer.headers["content-length"] == str(last + 1 - first)
    assert answer.headers["etag"] == ETAG


@pytest.mark.parametrize("asked", ["bytes=70000-", "bytes=70000-70001", "bytes=999999999-", "bytes=-0"])
async def test_a_range_behind_the_end(http: httpx2.AsyncClient, asked: str) -> None:
    answer = await http.get("/", headers={"range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{SIZE}"
    assert answer.json()["code"] == "range_not_satisfiable"


@pytest.mark.parametrize(
    "asked",
    ["", "bytes", "bytes=", "bytes=-", "bytes=5", "bytes=9-5", "bytes=a-b", "bytes=0-1,5-6", "lines=0-1", "bytes=+1-2"],
)
async def test_what_is_no_range_is_ignored(http: httpx2.AsyncClient, asked: str) -> None:
    answer = await http.get("/", headers={"range": asked})
    assert (answer.status_code, len(answer.content)) == (200, SIZE)


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (ETAG, 206),
        ('"other"', 200),
        (f"W/{ETAG}", 200),
        ("Sun, 01 Mar 2026 12:00:00 GMT", 200),
    ],
)
async def test_a_range_only_if_it_is_the_same_file(http: httpx2.AsyncClient, condition: str, status: int) -> None:
    answer = await http.get("/", headers={"range": "bytes=5-9", "if-range": condition})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("held", "status"),
    [
        (ETAG, 304),
        (f"W/{ETAG}", 304),
        (f'"x", {ETAG}', 304),
        ("*", 304),
        ('"x"', 200),
        ("abc", 200),
        ('"abc, "', 200),
    ],
)
async def test_what_the_caller_has_is_not_sent(http: httpx2.AsyncClient, held: str, status: int) -> None:
    answer = await http.get("/", headers={"if-none-match": held})
    assert answer.status_code == status
    assert answer.headers["etag"] == ETAG
    if status == 304:
        assert answer.content == b""
        # The condition comes before the range.
        both = await http.get("/", headers={"if-none-match": held, "range": "bytes=999999-"})
        assert both.status_code == 304


@pytest.mark.parametrize(("wanted", "status"), [(ETAG, 200), ("*", 200), (f"W/{ETAG}", 412), ('"x"', 412)])
async def test_only_the_version_that_is_wanted(http: httpx2.AsyncClient, wanted: str, status: int) -> None:
    answer = await http.get("/", headers={"if-match": wanted})
    assert answer.status_code == status
    if status == 412:
        assert answer.json()["code"] == "precondition_failed"
