"""A network that breaks: each connection carries so many bytes, and is cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


@asynccontextmanager
async def breaking(url: str, limits: Iterator[int], *, both_ways: bool = False) -> AsyncIterator[str]:
    """A wire to the server that lets each connection carry so many bytes back, and then cuts it.

    `both_ways`: what is sent counts as well, so that a request may not arrive. After the last limit the wire holds.
    """
    target = urlsplit(url)

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, ahead = await asyncio.open_connection(target.hostname, target.port)
        left = next(limits, 10**9)

        async def forth() -> None:
            nonlocal left
            while left > 0 and (data := await reader.read(min(left, 65536) if both_ways else 65536)):
                left -= len(data) if both_ways else 0
                ahead.write(data)
                await ahead.drain()

        async def back() -> None:
            nonlocal left
            while left > 0 and (data := await behind.read(min(left, 65536))):
                # While it was read, less may have been left.
                data = data[:left]
                left -= len(data)
                writer.write(data)
                await writer.drain()

        ways = {asyncio.create_task(forth()), asyncio.create_task(back())}
        try:
            # What one side ends, or the limit, ends both; whoever has hung up is no news.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for each in (writer, ahead):
                each.transport.abort()

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
