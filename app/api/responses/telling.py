"""A run's events, told as the events of a response.

What is told is a function of the run's row and its log and of nothing else, so that whoever reads it, whenever and in
however many pieces, reads the same bytes under the same numbers.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.api.citing import marked
from app.api.responses import items
from app.api.responses.items import Json
from app.api.responses.ordering import TOLD
from app.api.responses.views import response_view
from app.runs.log import Event
from app.runs.rows import Run
from app.runs.tables import RunStatus
from core.types import Usage

_LAST = {"completed": "response.completed", "failed": "response.failed", "cancelled": "response.incomplete"}


@dataclass(frozen=True, slots=True)
class _Message:
    """The message that is being said."""

    index: int
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class _Call:
    """A tool that is at work."""

    index: int
    id: str
    tool: str
    arguments: str


class Telling:
    """Takes in a run's events in order; `begin` comes first. Each step returns the response's events that it makes.

    After a take-over a node may say again what it has said. A message that was cut off is closed as `incomplete`,
    without its text, which is to come again; one that was finished is not said twice.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._name = uuid.UUID(run.id).hex
        self._number = 0
        self._told: list[Json] = []
        self._begun = False
        self._output: list[Json] = []
        self._message: _Message | None = None
        self._calls: list[_Call] = []
        self._approvals: set[str] = set()
        self._finished_text: str | None = None
        self._echo: str | None = None
        self._held = ""
        self._usage: Usage | None = None
        self._answer: Mapping[str, Any] | None = None
        self._final: Json | None = None

    @property
    def engine(self) -> str | None:
        """The engine that spoke last, if one did."""
        return (self._answer or {}).get("engine") or None

    def view(self) -> Json:
        """The response as it stands."""
        return self._final or self._view("in_progress" if self._begun else "queued")

    def begin(self) -> list[Json]:
        """What is told before the run has said anything."""
        background = response_view(self._run, "queued")["background"]
        first = response_view(self._run, "queued" if background else "in_progress")
        self._tell("response.created", response=first)
        if background:
            self._tell("response.queued", response=first)
        return self._taken()

    def take(self, event: Event, run: Run) -> list[Json]:
        """Take in the next event. With the last one, `run` must have been read after it: it says how the run ended."""
        if event.is_last:
            self._end(event, run)
        elif event.name == "metadata":
            self._attempt()
        elif event.name == TOLD:
            self._piece(orjson.loads(event.data))
        return self._taken()

    def _attempt(self) -> None:
        if not self._begun:
            self._begun = True
            self._tell("response.in_progress", response=self._view("in_progress"))
            return
        if self._message is not None:
            self._close_message("incomplete", kept=False)
        self._close_calls("incomplete")
        self._echo, self._held = self._finished_text, ""

    def _piece(self, piece: Any) -> None:
        match piece:
            case {"type": "text_delta", "text": str(text)} if text:
                self._say(text)
            case {"type": "tool_called", "tool": str(tool), "arguments": arguments}:
                self._call(tool, items.compact(arguments))
            case {"type": "tool_result", "tool": str(tool), "result": result}:
                # One call follows the other: what is open from before brought nothing.
                for call in [each for each in self._calls if each.tool == tool][-1:]:
                    self._close_call(call, "completed", output=items.compact(result))
            case {"type": "interrupted", "approval": str(approval), "tool": str(tool)}:
                self._interrupted(approval, tool, items.compact(piece["arguments"]), piece["reason"])
            case {"type": "answer", "text": str(text)}:
                self._answered(piece, text)
            case _:
                # The protocol has no word for it.
                pass

    def _say(self, text: str) -> None:
        if self._echo is not None:
            self._held += text
            if self._echo.startswith(self._held):
                return
            text, self._held, self._echo = self._held, "", None
        message = self._message
        if message is None:
            self._close_calls("failed")
            message = _Message(len(self._output), f"msg_{self._name}_{len(self._output)}", "")
            self._add(items.message(message.id, "in_progress"))
            self._tell_part("content_part.added", message, part=items.text_part(""))
        self._message = _Message(message.index, message.id, message.text + text)
        self._tell_part("output_text.delta", message, delta=text, logprobs=[])

    def _answered(self, piece: Mapping[str, Any], text: str) -> None:
        self._answer = piece
        used = piece.get("usage") or {}
        spent = Usage(used.get("prompt_tokens", 0), used.get("completion_tokens", 0))
        self._usage = spent + (self._usage or Usage())
        repeated = self._echo is not None and text == self._echo
        self._echo, self._held = None, ""
        if self._message is not None and not text.startswith(self._message.text):
            self._close_message("incomplete", kept=False)
        rest = text[len(self._message.text) :] if self._message is not None else text
        if rest and not repeated:
            self._say(rest)
        if self._message is not None:
            self._close_message("completed", piece.get("citations") or ())
        self._close_calls("failed")

    def _call(self, tool: str, arguments: str) -> None:
        index = len(self._output)
        call = _Call(index, f"mcp_{self._name}_{index}", tool, arguments)
        self._calls.append(call)
        self._add(items.call(call.id, tool, "", "in_progress"))
        self._output[index] = items.call(call.id, tool, arguments, "in_progress")
        about: Json = {"item_id": call.id, "output_index": index}
        self._tell("response.mcp_call.in_progress", **about)
        self._tell("response.mcp_call_arguments.delta", **about, delta=arguments)
        self._tell("response.mcp_call_arguments.done", **about, arguments=arguments)

    def _interrupted(self, approval: str, tool: str, arguments: str, reason: str) -> None:
        for call in [each for each in self._calls if (each.tool, each.arguments) == (tool, arguments)][-1:]:
            self._close_call(call, "incomplete", approval=approval)
        # A call that is proposed again is the same approval, and that has its item.
        if approval not in self._approvals:
            self._approvals.add(approval)
            request = items.approval_request(approval, tool, arguments, reason)
            self._add(request)
            self._tell("response.output_item.done", output_index=len(self._output) - 1, item=request)

    def _end(self, event: Event, run: Run) -> None:
        said = orjson.loads(event.data)
        if event.name == "error":
            status = "failed"
        elif said["status"] == RunStatus.INTERRUPTED and run.cancel_reason is not None:
            status = "cancelled"
        else:
            # One that waits for people has said all that it had to say until they decide.
            status = "completed"
        whole = status == "completed"
        if self._message is not None:
            self._close_message("completed" if whole else "incomplete")
        self._close_calls("failed" if whole else "incomplete")
        error = {name: said["error"][name] for name in ("code", "message")} if status == "failed" else None
        ended = int(run.ended_at.timestamp()) if whole and run.ended_at is not None else None
        self._final = self._view(status, error=error, completed_at=ended)
        self._tell(_LAST[status], response=self._final)

    def _close_message(self, status: str, citations: Sequence[Mapping[str, Any]] = (), *, kept: bool = True) -> None:
        message, self._message = self._message, None
        if message is None:
            return
        annotations = [{"type": "url_citation", **each} for each in marked(message.text, citations)]
        for i, annotation in enumerate(annotations):
            self._tell_part("output_text.annotation.added", message, annotation_index=i, annotation=annotation)
        part = items.text_part(message.text, annotations)
        self._tell_part("output_text.done", message, text=message.text, logprobs=[])
        self._tell_part("content_part.done", message, part=part)
        self._close(message.index, items.message(message.id, status, [part] if kept else []))
        if status == "completed":
            self._finished_text = message.text

    def _close_calls(self, status: str) -> None:
        for call in list(self._calls):
            self._close_call(call, status)

    def _close_call(self, call: _Call, status: str, *, output: str | None = None, approval: str | None = None) -> None:
        self._calls.remove(call)
        if status in ("completed", "failed"):
            self._tell(f"response.mcp_call.{status}", item_id=call.id, output_index=call.index)
        self._close(call.index, items.call(call.id, call.tool, call.arguments, status, output, approval))

    def _add(self, item: Json) -> None:
        self._tell("response.output_item.added", output_index=len(self._output), item=item)
        self._output.append(item)

    def _close(self, index: int, item: Json) -> None:
        self._output[index] = item
        self._tell("response.output_item.done", output_index=index, item=item)

    def _view(self, status: str, **more: Any) -> Json:
        return response_view(self._run, status, self._output, usage=self._usage, answer=self._answer, **more)

    def _tell_part(self, kind: str, message: _Message, **fields: Any) -> None:
        place = {"item_id": message.id, "output_index": message.index, "content_index": 0}
        self._tell(f"response.{kind}", **place, **fields)

    def _tell(self, kind: str, **fields: Any) -> None:
        self._told.append({"type": kind, "sequence_number": self._number, **fields})
        self._number += 1

    def _taken(self) -> list[Json]:
        told, self._told = self._told, []
        return told
