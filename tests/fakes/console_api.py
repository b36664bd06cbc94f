"""What the console's fake API holds: conversations and their runs, what waits, and what a test tells it to break.

A call waits until a test lets it go, and a stream breaks where it is told to. `console_routes.py` serves it.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.responses import JSONResponse

from app.errors import body
from tests.fakes import console_data as data
from tests.fakes import console_drift, console_judged

Json = dict[str, Any]


class Refused(Exception):
    """An answer in the error contract."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.answer = JSONResponse(body(message, "invalid_request_error", code), status)


class Cut(Exception):
    """The connection breaks."""


@dataclass
class Run:
    """A run: what was asked, its events, and how many of them the first connection gets before it breaks."""

    id: str
    messages: list[Json]
    events: list[tuple[str, Json]]
    cut_after: int | None = None
    connections: list[str | None] = field(default_factory=list)


@dataclass
class Thread:
    """A conversation and its runs, the oldest first."""

    id: str
    owner: str
    runs: list[Run] = field(default_factory=list)
    messages: list[Json] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    updated_at: str = field(default_factory=data.moment)

    def view(self) -> Json:
        said = [each["text"] for each in self.messages if each["role"] == "user"]
        status = "interrupted" if self.pending else "idle"
        times = {"created_at": self.updated_at, "updated_at": self.updated_at}
        return {
            "object": "thread",
            "id": self.id,
            "owner": self.owner,
            "status": status,
            "last": (said or [""])[-1],
            "cursor": f"{self.owner}/{self.id}",
            **times,
        }


class ConsoleApi:
    """The state behind the answers. A test reads `received`, and lets tools end with `gate`."""

    def __init__(self, pace: float = 0.01) -> None:
        self.url = ""
        self.pace = pace
        self.gate = threading.Event()
        self.gate.set()
        self.delay = 0.0  # seconds before every answer
        self.failing: set[str] = set()  # paths that answer 503
        self.received: list[tuple[str, Json]] = []
        self.tickets, self.approvals = data.tickets(), data.approvals()
        self.documents, self.evaluations = data.documents(), console_judged.evaluations()
        self.payments = console_judged.payments()
        self.drift = console_drift.checks()
        self.threads: dict[str, Thread] = {}
        self._numbers = itertools.count(1)
        self._by_key: dict[str, Run] = {}
        for owner in ("key:key_s1", "customer:CUS-00210", "key:key_a1"):
            self._old_thread(owner)

    def _old_thread(self, owner: str) -> None:
        thread = Thread(f"thread-{owner[-4:]}", owner, updated_at=data.moment(hours=26))
        said = "You have 60 days from delivery to send something back. [1]"
        self.run(
            thread,
            "How long do I have to send something back?",
            [("custom", data.answer(said, citations=[data.citation()]))],
        )
        self.run(thread, data.HOSTILE, [("custom", data.answer(data.HOSTILE))])
        self.threads[thread.id] = thread

    def run(self, thread: Thread, question: Any, events: list[tuple[str, Json]], *, status: str = "success") -> Run:
        """Give the thread a further run; with a question it is the person's, without one the server's."""
        number = next(self._numbers)
        kept = question if isinstance(question, str | None) else _kept(question)
        messages = [] if question is None else [{"role": "user", "content": kept}]
        first, last = (
            ("metadata", {"run_id": f"run-{number}", "attempt": 1}),
            ("end", {"run_id": f"run-{number}", "status": status}),
        )
        run = Run(f"run-{number}", messages, [first, *events, last])
        thread.runs.append(run)
        text = question if isinstance(question, str) else "".join(p.get("text", "") for p in question or [])
        if question is not None:
            names = [part["attachment"]["name"] for part in _kept(question) if part["type"] == "attachment"]
            thread.messages.append({"role": "user", "text": text, "attachments": names})
        thread.messages += [
            {"role": "assistant", "text": e["text"], "attachments": []}
            for name, e in events
            if name == "custom" and e["type"] == "answer"
        ]
        return run

    def asked(self, thread: Thread, content: Any) -> Run:
        """The run that a message starts: what it does depends on a word in it."""
        text = content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)
        if "twice" in text:
            identity = f"apr_{thread.id}"
            waiting = data.approval(identity, thread=thread.id, created_at=data.moment())
            self.approvals[identity] = waiting
            thread.pending.append(identity)
            told = {
                "type": "interrupted",
                "approval": identity,
                **{k: waiting[k] for k in ("tool", "arguments", "reason")},
            }
            told_so = "A person has to agree to this refund. I will tell you what they say."
            last = data.answer(told_so, approvals=[identity])
            return self.run(thread, content, [*_looked_up(), ("custom", told), ("custom", last)], status="interrupted")
        if "hostile" in text:
            told, last = {"type": "text_delta", "text": data.HOSTILE}, data.answer(data.HOSTILE + data.LONG_WORD)
            return self.run(thread, content, [*_looked_up(data.HOSTILE), ("custom", told), ("custom", last)])
        said = "You have 60 days from delivery to send something back, without giving a reason. [1]"
        words = [("custom", {"type": "text_delta", "text": word + " "}) for word in said.split()]
        last = data.answer(said, citations=[data.citation()])
        run = self.run(thread, content, [*_looked_up(), *words, ("custom", last)])
        run.cut_after = 8 if "cut" in text else None
        return run

    async def events(self, run: Run, after: int) -> AsyncIterator[bytes]:
        """The run's events as they go over the wire; breaks once where it is told to."""
        first = len(run.connections) == 1
        for number, (name, content) in enumerate(run.events, start=1):
            if number <= after:
                continue
            if first and run.cut_after is not None and number > run.cut_after:
                raise Cut
            if content.get("type") == "tool_result":
                while not self.gate.is_set():
                    await asyncio.sleep(0.01)
            yield b"id: %d\nevent: %s\ndata: %s\n\n" % (number, name.encode(), orjson.dumps(content))
            await asyncio.sleep(self.pace)

    def decide(self, identity: str, said: Json, by: str) -> Json:
        """Take a decision down; the conversation that waited goes on by itself."""
        found = self.approvals[identity]
        if identity == "apr_taken":
            found["status"] = "rejected"
            raise Refused(409, "approval_rejected", f"{identity} is rejected already")
        vote = {"by": by, "at": data.moment(), "arguments": None, "text": "", **said}
        found["votes"].append(vote)
        consents = said["decision"] in ("approve", "edit")
        if not consents or len(found["votes"]) >= found["quorum"]:
            words = {"approve": "approved", "edit": "approved", "reject": "rejected", "respond": "responded"}
            found |= {"status": words[said["decision"]], "decided_at": data.moment()}
            if consents:
                found |= {
                    "approved": said.get("arguments") or found["arguments"],
                    "effect": "done",
                    "result": {"refunded": "89.00"},
                }
            thread = self.threads.get(found["thread"])
            if thread is not None:
                thread.pending.remove(identity)
                self.run(thread, None, [("custom", data.answer(f"Your refund was {found['status']}."))])
        return found


def _kept(content: Any) -> list[Json]:
    """A message's parts as the server keeps them: of a file that was read, the name."""
    parts: list[Json] = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [
        {"type": "attachment", "attachment": {"id": "att_1", "name": part["file"]["filename"]}}
        if part["type"] == "file"
        else part
        for part in parts
    ]


def _looked_up(status: str = "delivered") -> list[tuple[str, Json]]:
    called = {"type": "tool_called", "tool": "lookup_order", "arguments": {"order_id": "ORD-10421"}}
    return [
        ("custom", called),
        ("custom", {"type": "tool_result", "tool": "lookup_order", "result": {"status": status}}),
    ]
