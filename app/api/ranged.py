"""Files with entity tags and ranges, by the letter of RFC 9110.

Starlette's `FileResponse` sends ranges well, but answers what it cannot read with errors of its own, where the RFC
says that a range which is not understood is ignored, and knows no `If-None-Match`. So the conditions are decided here,
and it is given a range that leaves nothing to decide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from app import errors
from app.api.json import Json


def ranged(
    request: Request,
    path: Path,
    etag: str,
    *,
    size: int,
    start: int = 0,
    media_type: str = "application/octet-stream",
    headers: Mapping[str, str],
) -> Response:
    """Answer with `size` bytes of the file from `start` on, or with the range of them that is asked for.

    `etag` is a strong entity tag. The answer is a 304 when the caller has it already, a 412 when it wants another
    (`If-Match`), and a 416 when the range begins behind the end.
    """
    headers = {**headers, "etag": etag, "accept-ranges": "bytes"}
    if (wanted := request.headers.get("if-match")) is not None and not _among(etag, wanted, weak=False):
        told = errors.body("This is not the version that If-Match names.", errors.INVALID, "precondition_failed")
        return Json(told, 412, headers)
    if (held := request.headers.get("if-none-match")) is not None and _among(etag, held, weak=True):
        return Response(status_code=304, headers=headers)
    asked = request.headers.get("range") if request.headers.get("if-range", etag) == etag else None
    span = None if asked is None else _span(asked, size)
    if span is not None and span[0] >= size:
        told = errors.body(
            f"There are {size} bytes, and the range begins behind them.", errors.INVALID, "range_not_satisfiable"
        )
        return Json(told, 416, {**headers, "content-range": f"bytes */{size}"})
    return _Stretch(path, start, size, span, media_type, headers)


class _Stretch(FileResponse):
    """A stretch of a file as if it were a file, or one range of it."""

    def __init__(
        self,
        path: Path,
        start: int,
        size: int,
        span: tuple[int, int] | None,
        media_type: str,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(path, media_type=media_type, headers=headers)
        first, end = span or (0, size)
        self._bytes = f"bytes={start + first}-{start + end - 1}"
        self._length = end - first
        if span is None:
            self._status, self._content_range = 200, None
        else:
            self._status, self._content_range = 206, f"bytes {first}-{end - 1}/{size}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the range sent, and say of it what the caller asked for."""
        kept = [(name, value) for name, value in scope["headers"] if name not in (b"range", b"if-range")]

        async def told(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                given = self._content_range
                raw = [each for each in message["headers"] if each[0] not in (b"content-range", b"last-modified")]  # type: ignore[attr-defined]
                if given is not None:
                    raw.append((b"content-range", given.encode()))
                message = {**message, "status": self._status, "headers": raw}
            await send(message)

        await super().__call__({**scope, "headers": [*kept, (b"range", self._bytes.encode())]}, receive, told)  # type: ignore[arg-type]


def _among(etag: str, tags: str, *, weak: bool) -> bool:
    """Whether the tag is in the list; a weak one counts only where weak comparison is asked for."""
    if tags.strip() == "*":
        return True
    found = re.findall(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")', tags)
    return any(tag == etag and (weak or not mark) for mark, tag in found)


def _span(asked: str, size: int) -> tuple[int, int] | None:
    """The one range that is asked for, as start and end; nothing when it is to be ignored.

    Another unit, what is no range at all, and several ranges at once are ignored, as the RFC allows: the answer is
    then the whole. A start at or behind `size` means that the range cannot be satisfied.
    """
    unit, _, said = asked.partition("=")
    found = re.fullmatch(r"[ \t]*([0-9]{0,19})-([0-9]{0,19})[ \t]*", said)
    if unit.strip().lower() != "bytes" or found is None:
        return None
    first, last = found.groups()
    if not first:
        # The last so many bytes; none at all cannot be satisfied.
        return None if not last else (max(size - int(last), 0) if int(last) else size, size)
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, size) if last else size
