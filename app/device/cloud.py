"""The gateway over HTTP, as a device's program talks to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from app.device.calling import Gateway
from core.intents import Intent, Records, Settlement
from core.types import Answer, Citation, Usage, Verdict

WAYSIDE = "wayside"


class HttpCloud(Gateway):
    """See `app.device.program.Cloud`."""

    def settle(self, intents: Sequence[Intent]) -> list[Settlement]:
        """See `edge.syncing.Wire`. Raises `ApiError` when the gateway refuses."""
        body = {"intents": [each.model_dump(mode="json") for each in intents]}
        return [Settlement.model_validate(each) for each in self.call("POST", "/api/sync/intents", body)["data"]]

    def records(self) -> Records:
        """See `edge.syncing.Wire`. Raises `ApiError` when the gateway refuses."""
        return Records.model_validate(self.call("GET", "/api/sync/records"))

    def ask(self, thread: str, text: str) -> Answer:
        """See `app.device.program.Cloud`. Raises `ApiError` when the gateway refuses."""
        messages = [{"role": "user", "content": text}]
        body = {"model": WAYSIDE, "messages": messages, "metadata": {"thread_id": thread}}
        told = self.call("POST", "/v1/chat/completions", body)
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
