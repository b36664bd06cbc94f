"""Bundles over HTTP, as a device's program gets them: the reference client of `/api/edge`."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx2

from core.errors import ApiError, ArtefactChanged, DownloadFailed
from edge.download import Piece
from edge.manifest import Artefact

_BUNDLES = "/api/edge/bundles"


class BundleClient:
    """The bundles of a gateway at `url`, for the holder of `key`. `transport` stands in for the network in tests."""

    def __init__(self, url: str, key: str, *, seconds: float = 30.0, transport: Any = None) -> None:
        self._http = httpx2.Client(
            base_url=url,
            # Compressed, a range would not be the range of the file that was asked for.
            headers={"authorization": f"Bearer {key}", "accept-encoding": "identity"},
            timeout=httpx2.Timeout(seconds, connect=5),
            transport=transport,
        )

    def __enter__(self) -> Self:
        """Open connections as they are needed; they are closed with the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._http.close()

    def names(self) -> list[str]:
        """The names of the bundles on offer. Raises `ApiError` and `DownloadFailed`."""
        return [str(each["name"]) for each in self._get(_BUNDLES).json()["data"]]

    def manifest(self, name: str) -> bytes:
        """The signed manifest of the bundle's newest build. Raises `ApiError` and `DownloadFailed`."""
        return self._get(f"{_BUNDLES}/{name}").content

    def source(self, name: str) -> HttpSource:
        """Where the artefacts of the bundle come from."""
        return HttpSource(self._http, f"{_BUNDLES}/{name}/artefacts")

    def _get(self, path: str) -> httpx2.Response:
        try:
            response = self._http.get(path)
        except httpx2.TransportError as problem:
            raise DownloadFailed(f"{self._http.base_url} cannot be reached: {problem}") from problem
        _refuse(response)
        return response


class HttpSource:
    """A `Source` of `edge.download` over HTTP ranges."""

    def __init__(self, http: httpx2.Client, path: str) -> None:
        self._http = http
        self._path = path

    def fetch(self, artefact: Artefact, start: int, stop: int) -> Piece:
        """See `Source.fetch`. Raises `ApiError` when the gateway refuses."""
        # Should the file be another one by now, the whole of it comes, with its own tag.
        headers = {"range": f"bytes={start}-{stop - 1}", "if-range": artefact.etag}
        request = self._http.build_request("GET", f"{self._path}/{artefact.id}", headers=headers)
        try:
            response = self._http.send(request, stream=True)
            if response.is_error:
                response.read()
                response.close()
        except httpx2.TransportError as problem:
            raise DownloadFailed(f"{artefact.id}: the connection broke: {problem}") from problem
        if response.status_code == httpx2.codes.NOT_FOUND:
            raise ArtefactChanged(f"{artefact.id} is not offered any more; fetch the manifest again")
        _refuse(response)
        partial = response.status_code == httpx2.codes.PARTIAL_CONTENT
        begins = response.headers.get("content-range", "").startswith(f"bytes {start}-")
        if partial and not begins:
            response.close()
            raise DownloadFailed(f"{artefact.id}: another range came than was asked for")
        return Piece(response.headers.get("etag", ""), _stream(response, artefact, 0 if partial else start))


def _stream(response: httpx2.Response, artefact: Artefact, skip: int) -> Iterator[bytes]:
    """The bytes as they come in. Who serves no ranges sends everything, of which the beginning is not wanted."""
    try:
        for received in response.iter_raw():
            yield received[skip:]
            skip = max(0, skip - len(received))
    except httpx2.TransportError as problem:
        raise DownloadFailed(f"{artefact.id}: the connection broke: {problem}") from problem
    finally:
        response.close()


def _refuse(response: httpx2.Response) -> None:
    """Raise `DownloadFailed` for what may be better in a moment, `ApiError` for a refusal."""
    if not response.is_error:
        return
    try:
        told = str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        told = f"the gateway answered {response.status_code}"
    if response.status_code == httpx2.codes.TOO_MANY_REQUESTS or response.status_code >= 500:
        raise DownloadFailed(told)
    raise ApiError(told)
