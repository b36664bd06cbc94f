"""Pictures by URL: what is never asked, what is asked of which address, and what may come back."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Callable, Sequence

import httpx2
import pytest

from core.errors import InvalidInput, TooLarge, UnsupportedMedia
from core.media import Picture
from core.settings import MediaSettings
from multimodal.media import MediaGate
from multimodal.remote import RemotePictures, is_public

PUBLIC = "93.184.215.14"
PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104  (to be refused)
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:93.184.215.14",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "2001::1",
    "2002:7f00:1::",
    "fc00::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
]


class Admitting(MediaGate):
    """Admits whatever comes, and keeps it."""

    def __init__(self) -> None:
        super().__init__(MediaSettings())
        self.content = b""

    async def picture(self, content: bytes, where: str) -> Picture:
        self.content = content
        return Picture(b"made anew", "image/png", 1, 1)


class Internet:
    """Names and the servers behind them; keeps what was resolved and asked."""

    def __init__(
        self, answer: Callable[[httpx2.Request], httpx2.Response], names: dict[str, list[str]] | None = None
    ) -> None:
        self.names = {"pictures.example": [PUBLIC]} | (names or {})
        self.resolved: list[tuple[str, int]] = []
        self.asked: list[httpx2.Request] = []
        self._answer = answer

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.resolved.append((host, port))
        if host not in self.names:
            raise OSError("no such name")
        return self.names[host]

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        return self._answer(request)

    def pictures(self, gate: MediaGate, **settings: float) -> RemotePictures:
        limits = MediaSettings.model_validate({"remote_urls": True, **settings})
        return RemotePictures(limits, gate, resolver=self.resolve, transport=httpx2.MockTransport(self.handle))


def streamed(status: int, content: bytes = b"", **headers: str) -> httpx2.Response:
    """An answer as it comes from a network: in pieces."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 1000):
            yield content[start : start + 1000]

    return httpx2.Response(status, content=pieces(), headers={k.replace("_", "-"): v for k, v in headers.items()})


async def refused(internet: Internet, url: str, **settings: float) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        await internet.pictures(Admitting(), **settings).picture(url, "image_url.url")
    assert caught.value.param == "image_url.url"
    return caught.value


def good(request: httpx2.Request) -> httpx2.Response:
    return streamed(200, b"a picture")


async def test_it_is_off_unless_the_settings_say_otherwise() -> None:
    internet = Internet(good)
    remote = RemotePictures(
        MediaSettings(), Admitting(), resolver=internet.resolve, transport=httpx2.MockTransport(internet.handle)
    )
    with pytest.raises(InvalidInput, match="data URL") as caught:
        await remote.picture("https://pictures.example/a.png", "url")
    assert (caught.value.code, caught.value.param) == ("remote_urls_off", "url")
    assert not internet.resolved and not internet.asked


async def test_the_very_address_that_was_checked_is_asked_under_the_hosts_name() -> None:
    internet, gate = Internet(good), Admitting()
    await internet.pictures(gate).picture("https://pictures.example/a%20b.png?size=1", "url")
    assert gate.content == b"a picture"
    assert internet.resolved == [("pictures.example", 443)]
    [request] = internet.asked
    assert str(request.url) == f"https://{PUBLIC}/a%20b.png?size=1"
    assert request.headers["host"] == "pictures.example"
    assert request.extensions["sni_hostname"] == "pictures.example"
    assert request.headers["accept-encoding"] == "identity"
    assert not {"authorization", "cookie", "referer"} & set(request.headers)


async def test_a_name_that_changes_its_address_is_resolved_once_a_step() -> None:
    internet = Internet(good)
    answers = [[PUBLIC], ["127.0.0.1"]]

    async def rebinding(host: str, port: int) -> Sequence[str]:
        internet.resolved.append((host, port))
        return answers[len(internet.resolved) - 1]

    limits = MediaSettings(remote_urls=True)
    transport = httpx2.MockTransport(internet.handle)
    remote = RemotePictures(limits, Admitting(), resolver=rebinding, transport=transport)
    await remote.picture("http://pictures.example/a.png", "url")
    assert [request.url.host for request in internet.asked] == [PUBLIC]
    assert len(internet.resolved) == 1
    with pytest.raises(InvalidInput) as caught:
        await remote.picture("http://pictures.example/a.png", "url")
    assert caught.value.code == "remote_refused"
    assert len(internet.asked) == 1


@pytest.mark.parametrize("address", PRIVATE)
async def test_addresses_that_are_not_public_are_never_asked(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    host = f"[{address}]" if ":" in address else address
    internet = Internet(good, {"inside.example": [PUBLIC, address]})
    for url in (f"http://{host}/", "http://inside.example/"):
        assert (await refused(internet, url)).code == "remote_refused"
    assert not internet.asked


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.1./",
        "http://[fe80::1%25eth0]/",
        "http://[::ffff:7f00:1]/",
        "http://user:secret@pictures.example/",
        "http://pictures.example@127.0.0.1/",
        "http://pictures.example:8080/",
        "https://pictures.example:80/",
        "http://pictures.example:443/",
        "file:///etc/passwd",
        "ftp://pictures.example/a.png",
        "gopher://pictures.example/",
        "//pictures.example/a.png",
        "http:///a.png",
        "http://",
        "pictures.example/a.png",
        "http://[::1/",
        "http://pictures.example/\x00",
        "http://pictures.example/" + "a" * 3000,
        "",
    ],
)
async def test_urls_of_other_shapes_are_refused_unasked(url: str) -> None:
    internet = Internet(good)
    assert (await refused(internet, url)).code == "remote_refused"
    assert not internet.asked


async def test_redirects_are_followed_by_the_same_rules() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.headers["host"] == "pictures.example" and request.url.path == "/a":
            return streamed(302, location="//images.example/b", set_cookie="seen=1; Domain=example")
        if request.url.path == "/b":
            return streamed(307, location="/c")
        return good(request)

    internet = Internet(answer, {"images.example": ["2606:2800:21f:cb07:6820:80da:af6b:8b2c", "8.8.8.8"]})
    await internet.pictures(Admitting()).picture("https://pictures.example/a", "url")
    assert [str(each.url) for each in internet.asked] == [
        f"https://{PUBLIC}/a",
        "https://8.8.8.8/b",
        "https://8.8.8.8/c",
    ]
    assert [each.headers["host"] for each in internet.asked] == ["pictures.example", "images.example", "images.example"]
    assert not any("cookie" in each.headers for each in internet.asked)


@pytest.mark.parametrize(
    "location", ["http://127.0.0.1/", "http://inside.example/", "file:///etc/passwd", "http://169.254.169.254/latest"]
)
async def test_a_redirect_to_the_inside_is_refused(location: str) -> None:
    internet = Internet(lambda request: streamed(302, location=location), {"inside.example": ["10.0.0.1"]})
    assert (await refused(internet, "http://pictures.example/")).code == "remote_refused"
    assert len(internet.asked) == 1


async def test_more_than_three_redirects_are_too_many() -> None:
    internet = Internet(lambda request: streamed(302, location="/again"))
    refusal = await refused(internet, "http://pictures.example/")
    assert (refusal.code, "3 redirects" in refusal.message) == ("remote_failed", True)
    assert len(internet.asked) == 4


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: streamed(404),
        lambda request: streamed(304),
        lambda request: streamed(302),
        lambda request: streamed(200, b"squeezed", content_encoding="gzip"),
    ],
)
async def test_what_is_no_plain_answer_has_failed(answer: Callable[[httpx2.Request], httpx2.Response]) -> None:
    assert (await refused(Internet(answer), "http://pictures.example/")).code == "remote_failed"


async def test_an_unknown_name_and_a_broken_connection_have_failed() -> None:
    def broken(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("inner details")

    assert (await refused(Internet(good), "http://nowhere.example/")).code == "remote_failed"
    refusal = await refused(Internet(broken), "http://pictures.example/")
    assert refusal.code == "remote_failed"
    assert "inner" not in refusal.message


async def test_an_answer_without_end_is_cut_off() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield bytes(1000)

    internet = Internet(lambda request: httpx2.Response(200, content=endless()))
    refusal = await refused(internet, "http://pictures.example/", picture_bytes=10_000)
    assert isinstance(refusal, TooLarge)
    assert refusal.code == "picture_too_large"
    assert sent == 11


async def test_a_server_that_never_answers_is_given_up() -> None:
    async def silent() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    internet = Internet(lambda request: httpx2.Response(200, content=silent()))
    refusal = await refused(internet, "http://pictures.example/", remote_seconds=0.05)
    assert (refusal.code, "0.05 seconds" in refusal.message) == ("remote_failed", True)


async def test_what_comes_back_goes_through_the_gate() -> None:
    internet = Internet(lambda request: streamed(200, b"<html>not a picture", content_type="image/png"))
    with pytest.raises(UnsupportedMedia) as caught:
        await internet.pictures(MediaGate(MediaSettings())).picture("http://pictures.example/", "url")
    assert caught.value.param == "url"
