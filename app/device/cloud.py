"""The gateway over HTTP, as a device's program talks to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from types import TracebackType
from typing import Any, Self

import httpx2

from core.errors import ApiError, GatewayUnreachable
from core.intents import Intent, Records, Settlement
from core.types import Answer, Citation, Usage, Verdict

WAYSIDE = "wayside"


class HttpCloud:
    """See `app.device.program.Cloud`. `transport` stands in for the network in tests."""

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

    def settle(self, intents: Sequence[Intent]) -> list[Settlement]:
        """See `edge.syncing.Wire`. Raises `ApiError` when the gateway refuses."""
        body = {"intents": [each.model_dump(mode="json") for each in intents]}
        return [Settlement.model_validate(each) for each in self._call("POST", "/api/sync/intents", body)["data"]]

    def records(self) -> Records:
        """See `edge.syncing.Wire`. Raises `ApiError` when the gateway refuses."""
        return Records.model_validate(self._call("GET", "/api/sync/records"))

    def ask(self, thread: str, text: str) -> Answer:
        """See `app.device.program.Cloud`. Raises `ApiError` when the gateway refuses."""
        messages = [{"role": "user", "content": text}]
        body = {"model": WAYSIDE, "messages": messages, "metadata": {"thread_id": thread}}
        told = self._call("POST", "/v1/chat/completions", body)
        message, about, usage = told["choices"][0]["message"], told["wayside"], told["usage"]
        return Answer(
            thread,
            message["content"],
            _cited(message["annotations"]),
            about["declined"],
            "cloud",
            Usage(usage["prompt_tokens"], usage["completion_tokens"]),
            tuple(about["approvals"]),
        )

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON. Raises `GatewayUnreachable` for what may be better in a moment, or did not come whole."""
        try:
            response = self._http.request(method, path, json=body)
        except (httpx2.TransportError, httpx2.DecodingError) as problem:
            raise GatewayUnreachable(f"{self._http.base_url} cannot be reached: {problem}") from problem
        if response.status_code == httpx2.codes.TOO_MANY_REQUESTS or response.status_code >= 500:
            raise GatewayUnreachable(f"the gateway answered {response.status_code}")
        try:
            told = response.json()
        except ValueError as problem:
            raise GatewayUnreachable("the gateway's answer did not come whole") from problem
        if response.is_error:
            raise ApiError(str(told.get("message", f"the gateway answered {response.status_code}")))
        return told


def _cited(annotations: Sequence[Mapping[str, Any]]) -> tuple[Citation, ...]:
    """The citations, each once: an annotation is a place where one is marked."""
    names = [field.name for field in fields(Citation)]
    told = {each["url_citation"]["marker"]: each["url_citation"] for each in annotations}
    return tuple(
        Citation(
            **{name: cited[name] for name in names}
            | {"headings": tuple(cited["headings"]), "verdict": Verdict(cited["verdict"])}
        )
        for _, cited in sorted(told.items())
    )
