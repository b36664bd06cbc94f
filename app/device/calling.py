"""A device's calls of the gateway: what is worth another try is told apart from what was refused."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import httpx2

from core.errors import ApiError, GatewayUnreachable


class Gateway:
    """The gateway at `url`, for the holder of `key`. `transport` stands in for the network in tests."""

    def __init__(self, url: str, key: str, *, seconds: float = 30.0, transport: Any = None) -> None:
        self._http = httpx2.Client(
            base_url=url,
            headers={"authorization": f"Bearer {key}"},
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

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON; None where there is no body.

        Raises `GatewayUnreachable` for what may be better in a moment, or did not come whole, and `ApiError`, with the
        gateway's own code, when it refuses.
        """
        try:
            response = self._http.request(method, path, json=body)
        except (httpx2.TransportError, httpx2.DecodingError) as problem:
            raise GatewayUnreachable(f"{self._http.base_url} cannot be reached: {problem}") from problem
        if response.status_code == httpx2.codes.TOO_MANY_REQUESTS or response.status_code >= 500:
            raise GatewayUnreachable(f"the gateway answered {response.status_code}")
        if response.status_code == httpx2.codes.NO_CONTENT:
            return None
        try:
            told = response.json()
        except ValueError as problem:
            raise GatewayUnreachable("the gateway's answer did not come whole") from problem
        if response.is_error:
            message = str(told.get("message", f"the gateway answered {response.status_code}"))
            raise ApiError(message, param=told.get("param"), code=told.get("code"))
        return told
