import re
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from app.api import console
from app.errors import Errors
from tests.fakes.gateway import Gateway

FILES = sorted(path.relative_to(console.FILES).as_posix() for path in console.FILES.rglob("*") if path.is_file())


@pytest.fixture
def http() -> httpx2.AsyncClient:
    app = FastAPI()
    app.include_router(console.routes())
    app.add_middleware(Errors)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test")


@pytest.mark.parametrize("name", FILES)
async def test_every_file_is_served_as_what_it_is(http: httpx2.AsyncClient, name: str) -> None:
    answer = await http.get(f"/console/{name}")
    assert answer.content == (console.FILES / name).read_bytes()
    kinds = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}
    assert answer.headers["content-type"].startswith(kinds[Path(name).suffix])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_the_page_needs_no_key_and_the_root_leads_to_it(served: Gateway) -> None:
    answer = await served.http.get("/console")
    assert answer.status_code == 200
    assert answer.text == (await served.http.get("/console/")).text
    assert answer.headers["x-request-id"]
    led = await served.http.get("/")
    assert (led.status_code, led.headers["location"]) == (307, "/console")
    assert not any(path.startswith("/console") for path in served.app.openapi()["paths"])


async def test_a_file_that_is_held_already_is_not_sent_again(http: httpx2.AsyncClient) -> None:
    first = await http.get("/console/app.js")
    etag = first.headers["etag"]
    for held in (etag, f'"other", W/{etag}', "*"):
        again = await http.get("/console/app.js", headers={"if-none-match": held})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert (await http.get("/console/app.js", headers={"if-none-match": '"other"'})).status_code == 200
    assert first.headers["cache-control"] == "no-cache"
    head = await http.head("/console/app.js")
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(first.content)))


@pytest.mark.parametrize(
    "path",
    [
        "/console/nothing.js",
        "/console/parts",
        "/console/parts/",
        "/console//etc/passwd",
        "/console/../api/console.py",
        "/console/%2e%2e/api/console.py",
        "/console/parts/%2e%2e/%2e%2e/auth.py",
        "/console/..%5cauth.py",
        "/console/app.js%00",
    ],
)
async def test_nothing_else_is_there(http: httpx2.AsyncClient, path: str) -> None:
    assert (await http.get(httpx2.URL(f"http://test{path}"))).status_code == 404


async def test_the_policy_lets_nothing_in_and_the_report_is_shut_off(http: httpx2.AsyncClient) -> None:
    page = (await http.get("/console")).headers["content-security-policy"]
    assert "unsafe" not in page
    for directive in ("frame-ancestors 'none'", "connect-src 'self'", "require-trusted-types-for 'script'"):
        assert directive in page
    assert "media-src blob:;" in page
    devices = (await http.get("/console")).headers["permissions-policy"]
    assert devices == "camera=(self), microphone=(self), geolocation=(), display-capture=()"
    shut = (await http.get("/console/report.html")).headers["permissions-policy"]
    assert shut.startswith("camera=(), microphone=(), ")
    report = (await http.get("/console/report.html")).headers["content-security-policy"]
    assert "sandbox allow-scripts" in report
    assert "allow-same-origin" not in report
    assert "connect-src" not in report  # so `default-src 'none'` holds


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith((".js", ".html"))])
def test_text_has_no_way_to_become_markup_and_nothing_comes_from_elsewhere(name: str) -> None:
    source = (console.FILES / name).read_text()
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert forbidden not in source
    if name != "report.js":  # which shows somebody's HTML where it can do nothing
        assert "DOMParser" not in source
    assert not re.search(r"https?://(?!www\.w3\.org/)", source)


def test_modules_import_files_that_are_there() -> None:
    for name in FILES:
        if name.endswith(".js"):
            path = console.FILES / name
            for wanted in re.findall(r"(?:from|import\() ?\"(\.[^\"]+)\"", path.read_text()):
                assert (path.parent / wanted).resolve().is_file(), f"{name} imports {wanted}"
