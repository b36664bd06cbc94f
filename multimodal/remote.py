"""Pictures by URL, fetched for clients: off by default, and only ever from public addresses when on.

A URL of a stranger can point at anything that this machine reaches. So a name is resolved once, every address it has
must be public, and the connection goes to that very address, with the name kept for the certificate; each redirect is
a new URL to which all of that applies.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network

import httpx2

from core.errors import InvalidInput, TooLarge
from core.media import Picture
from core.settings import MediaSettings
from multimodal.media import MediaGate

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host and a port to the host's addresses; raises `OSError` where there are none."""
REDIRECTS = 3
_PORTS = {"http": 80, "https": 443}
_ADDRESS_CHARACTERS = 2_048
# The web's readers of URLs take such a last label for a number, in one of several spellings of IPv4 addresses.
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)
# Addresses in which another one is wrapped. Whoever unwraps it is behind our checks.
_WRAPPING = tuple(
    IPv6Network(each) for each in ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16")
)


async def resolve(host: str, port: int) -> Sequence[str]:
    """The host's addresses, as this machine's resolver tells them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class RemotePictures:
    """Fetches pictures by URL and admits them through the gate. `resolver` and `transport` are for whoever hands in
    others; the transport is given URLs whose host is an address.
    """

    def __init__(
        self,
        settings: MediaSettings,
        gate: MediaGate,
        *,
        resolver: Resolve = resolve,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._gate = gate
        self._resolver = resolver
        self._transport = transport

    async def picture(self, url: str, where: str) -> Picture:
        """The admitted picture at the URL.

        Raises `InvalidInput` with `remote_urls_off`, `remote_refused` (a URL or an address that is never asked) or
        `remote_failed` (no picture was answered in time), and what `MediaGate.picture` raises.
        """
        if not self._settings.remote_urls:
            message = "Pictures are not fetched by URL here: send the picture itself, as a data URL."
            raise InvalidInput(message, param=where, code="remote_urls_off")
        try:
            async with asyncio.timeout(self._settings.remote_seconds):
                content = await self._fetched(url, where)
        except TimeoutError as problem:
            raise _failed(f"was not there within {self._settings.remote_seconds:g} seconds", where) from problem
        return await self._gate.picture(content, where)

    async def _fetched(self, url: str, where: str) -> bytes:
        target = _target(url, where)
        for _ in range(REDIRECTS + 1):
            # A client of its own for each step: neither cookies nor connections are shared with anybody.
            transport = self._transport or httpx2.AsyncHTTPTransport(trust_env=False)
            async with httpx2.AsyncClient(transport=transport, trust_env=False, follow_redirects=False) as client:
                answer = await self._asked(client, target, where)
            if isinstance(answer, bytes):
                return answer
            target = _target(answer, where, target)
        raise _failed(f"is behind more than {REDIRECTS} redirects", where)

    async def _asked(self, client: httpx2.AsyncClient, target: httpx2.URL, where: str) -> bytes | str:
        """What the URL answers: the content, or the place that it redirects to."""
        name = target.raw_host.decode("ascii")
        address = await self._address(name, _PORTS[target.scheme], where)
        headers = {"host": target.netloc.decode("ascii"), "accept": "image/*", "accept-encoding": "identity"}
        # Each wait ends with the time for the whole.
        request = client.build_request(
            "GET",
            target.copy_with(host=str(address)),
            headers=headers,
            timeout=self._settings.remote_seconds,
            extensions={"sni_hostname": name},
        )
        try:
            response = await client.send(request, stream=True)
            try:
                if response.has_redirect_location:
                    return response.headers["location"]
                if response.status_code != httpx2.codes.OK:
                    raise _failed(f"is answered with status {response.status_code}", where)
                if response.headers.get("content-encoding", "identity") != "identity":
                    raise _failed("is answered in a compressed form that was not asked for", where)
                return await self._content(response, where)
            finally:
                await response.aclose()
        except httpx2.TransportError as problem:
            raise _failed("could not be fetched", where) from problem

    async def _content(self, response: httpx2.Response, where: str) -> bytes:
        content = bytearray()
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) > self._settings.picture_bytes:
                message = f"The picture has more than {self._settings.picture_bytes:,} bytes."
                raise TooLarge(message, param=where, code="picture_too_large")
        return bytes(content)

    async def _address(self, name: str, port: int, where: str) -> IPv4Address | IPv6Address:
        try:
            found = [ipaddress.ip_address(name.strip("[]"))]
        except ValueError:
            if _NUMBER.fullmatch(name.rstrip(".").rpartition(".")[2]):
                raise _refused("names its host by a number", where) from None
            try:
                found = [ipaddress.ip_address(each) for each in await self._resolver(name, port)]
            except (OSError, UnicodeError) as problem:
                raise _failed("has a host that is not known", where) from problem
        if not found:
            raise _failed("has a host that is not known", where)
        if not all(is_public(each) for each in found):
            raise _refused("leads to an address that is not public", where)
        return min(found, key=lambda each: each.version)  # not every network speaks the sixth


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether the address belongs to one machine of the open internet, and wraps no other address."""
    if isinstance(address, IPv6Address) and (
        address.scope_id is not None or address.is_site_local or any(address in each for each in _WRAPPING)
    ):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _target(url: str, where: str, base: httpx2.URL | None = None) -> httpx2.URL:
    """The URL, if it is one that may be asked at all; seen from `base` where it is a redirect's."""
    if len(url) > _ADDRESS_CHARACTERS:
        raise _refused(f"has more than {_ADDRESS_CHARACTERS:,} characters", where)
    try:
        target = httpx2.URL(url) if base is None else base.join(url)
    except (httpx2.InvalidURL, ValueError) as problem:
        raise _refused("is not a URL", where) from problem
    if target.scheme not in _PORTS:
        raise _refused("is neither http nor https", where)
    if not target.raw_host:
        raise _refused("names no host", where)
    if target.userinfo:
        raise _refused("carries a user name or password", where)
    if target.port not in (None, _PORTS[target.scheme]):
        raise _refused("names a port other than 80 and 443", where)
    return target


def _refused(reason: str, where: str) -> InvalidInput:
    return InvalidInput(f"The picture's URL {reason}.", param=where, code="remote_refused")


def _failed(reason: str, where: str) -> InvalidInput:
    return InvalidInput(f"The picture's URL {reason}.", param=where, code="remote_failed")
