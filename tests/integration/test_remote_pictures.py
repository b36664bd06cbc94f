"""A picture by URL over real connections: the certificate is the host's, though an address is asked."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import Sequence
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core.errors import InvalidInput
from core.settings import MediaSettings
from multimodal.media import MediaGate
from multimodal.remote import RemotePictures
from tests.fakes.media import picture

PUBLIC = "93.184.215.14"


class Detour(httpx2.AsyncBaseTransport):
    """The network, but for one address, which stands for a server of the test."""

    def __init__(self, port: int, trusted: ssl.SSLContext) -> None:
        self._port = port
        self._network = httpx2.AsyncHTTPTransport(verify=trusted, trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        assert request.url.host == PUBLIC
        request.url = request.url.copy_with(host="127.0.0.1", port=self._port)
        return await self._network.handle_async_request(request)

    async def aclose(self) -> None:
        await self._network.aclose()


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for the name, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(pem + secret)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem")
    return server, ssl.create_default_context(cadata=pem.decode())


async def resolve(host: str, port: int) -> Sequence[str]:
    return [PUBLIC]


async def test_the_certificate_is_held_against_the_hosts_name(tmp_path: Path) -> None:
    asked = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        content = picture()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(content), content))
        await writer.drain()
        writer.close()

    for_server, for_client = await asyncio.to_thread(certified, tmp_path, "pictures.example")
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=for_server)
    port = server.sockets[0].getsockname()[1]

    def fetching() -> RemotePictures:
        settings = MediaSettings(remote_urls=True)
        return RemotePictures(settings, MediaGate(settings), resolver=resolve, transport=Detour(port, for_client))

    async with server:
        admitted = await fetching().picture("https://pictures.example/a.png", "url")
        assert (admitted.width, admitted.height) == (64, 48)
        assert "host: pictures.example\r\n" in asked[0].lower()
        with pytest.raises(InvalidInput) as caught:
            await fetching().picture("https://other.example/a.png", "url")
        assert caught.value.code == "remote_failed"
    assert len(asked) == 1
