"""What a turn was made of, step by step and with times, read off what its graph streams while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import Any

from core.database import now
from core.media import Observed
from core.types import Answer, Interrupted, ModelSpoke, ToolCalled, ToolResult

# As much of a tool's result as a person reads; the audit log has the whole of what took effect.
_CHARACTERS = 4_000


@dataclass(slots=True)
class Step:
    """A stretch of work: a `node` of the graph, a `tool` or a `model` call within one.

    What was made out in the message's `media` before the turn began stands among them, and takes no time.

    Times are in milliseconds, `at_ms` from the turn's beginning; `ms` is None for what never came to its end.
    """

    kind: str
    name: str
    at_ms: float
    ms: float | None = None
    detail: dict[str, Any] = field(default_factory=dict)


class Steps:
    """Collects a turn's steps from the pieces of the stream modes `tasks` and `custom`, in their order."""

    def __init__(self) -> None:
        self._started = perf_counter()
        self._nodes: dict[str, Step] = {}
        self.began = now()
        self.steps: list[Step] = []
        self.heading: Mapping[str, str] | None = None
        self.answer: Answer | None = None
        self.waits = False

    @property
    def ms(self) -> float:
        """Milliseconds since the beginning."""
        return round((perf_counter() - self._started) * 1000, 2)

    def task(self, piece: Mapping[str, Any]) -> None:
        """Take in a piece of `tasks`: a node that begins, or one that has ended."""
        if "triggers" in piece:
            self._nodes[piece["id"]] = self._begin("node", piece["name"])
            return
        step = self._nodes.pop(piece["id"], None)
        if step is None:
            return
        step.ms = round(self.ms - step.at_ms, 2)
        if piece.get("error") is not None:
            step.detail["error"] = type(piece["error"]).__name__
        if piece.get("interrupts"):
            self.waits = True
            step.detail["waits"] = True
        result = piece.get("result")
        if isinstance(result, Mapping) and "heading" in result:
            self.heading = result["heading"]
            step.detail |= self.heading or {}

    def custom(self, piece: Any) -> None:
        """Take in what a node told; what is no step of its own is left out."""
        match piece:
            case ToolCalled(tool, arguments):
                self._begin("tool", tool).detail["arguments"] = dict(arguments)
            case ToolResult(tool, result):
                self._end_tool(tool, result=_short(result))
            case Interrupted(approval, tool, _, reason):
                self._end_tool(tool, approval=approval, reason=reason)
            case ModelSpoke(engine, usage, seconds):
                ms = round(seconds * 1000, 2)
                detail = {"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens}
                self.steps.append(Step("model", engine or "none", round(max(0.0, self.ms - ms), 2), ms, detail))
            case Observed(heard, seen):
                for voice in heard:
                    self.steps.append(Step("media", "voice note", self.ms, 0.0, asdict(voice)))
                for picture in seen:
                    self.steps.append(Step("media", picture.name, self.ms, 0.0, asdict(picture)))
            case Answer():
                self.answer = piece
            case _:
                pass

    def _begin(self, kind: str, name: str) -> Step:
        step = Step(kind, name, self.ms)
        self.steps.append(step)
        return step

    def _end_tool(self, tool: str, **what: Any) -> None:
        """End the last call of the tool that is open."""
        for step in reversed(self.steps):
            if step.kind == "tool" and step.name == tool and step.ms is None:
                step.ms = round(self.ms - step.at_ms, 2)
                step.detail |= what
                return


def _short(value: Any) -> Any:
    """The result, or how it begins where it is long."""
    text = str(value)
    return value if len(text) <= _CHARACTERS else text[:_CHARACTERS] + " …"
