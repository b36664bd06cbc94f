"""Is the right tool called, with the right arguments, and none where none fits?

A question is put to the engine that the settings name as an agent puts it: tools offered by `bind_tools`, which goes
by grammar on the embedded engine and, on another one, by the protocol's own tool calls unless `engine.grammar_tools`
says otherwise. Questions have no system message of ours. One is asked at a time, so that its seconds are its own.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import jsonschema_rs
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from app.engines.chat_model import EngineChat
from app.engines.choice import open_engine
from core.errors import EngineUnavailable, InvalidInput
from core.modelstore import ModelStore
from core.settings import Settings
from evals.bfcl.check import fault
from evals.bfcl.questions import DEMO, Question, read
from evals.bfcl.schema import Tool, translate
from evals.suite import Options, Scorer, Suite, sample

# Enough for every expected call. An answer in words is as good as over: that it is no call shows at once.
TOKENS = 256


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call as it was made, under the function's original name. `invalid` says why it could not be executed."""

    name: str
    arguments: Mapping[str, Any]
    invalid: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the engine did: calls, or words, or neither because the limit of tokens cut it off."""

    attempts: tuple[Attempt, ...]
    text: str
    seconds: float


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Question, Reply]]:
    """The suite on the questions that `options` names, or on the demo company's tools."""
    if options.foreign:
        raise InvalidInput("the suite tools has no use for foreign questions", param="foreign")
    path = options.data or DEMO
    questions = read(path)
    with_call = sample([each for each in questions if each.expected], options)
    without = sample([each for each in questions if not each.expected], options)
    facts = {"data": path.stem, "lost in translation to JSON schema": _lost(questions)}
    async with AsyncExitStack() as stack:
        settings = Settings()
        engine, _ = await open_engine(settings, ModelStore(), stack)
        by_grammar = settings.engine.url is None or settings.engine.grammar_tools
        yield Suite(
            name="tools",
            cases=[*with_call, *without],
            task=partial(ask, EngineChat(engine, temperature=0, max_tokens=TOKENS), engine.name),
            scorers=SCORERS,
            details=_details,
            facts=facts
            | {
                "engine": f"{engine.models[0]} ({engine.name})",
                "tools": "by grammar" if by_grammar else "by the protocol's own tool calls",
            },
            concurrency=1,
        )


async def ask(chat: BaseChatModel, engine: str, case: Question) -> Reply:
    """Put the question. Raises `EngineUnavailable` when another engine answered in place of the named one."""
    tools = {tool.name: tool for tool in map(translate, case.functions)}
    if len(tools) < len(case.functions):
        raise InvalidInput(f"{case.id} offers two functions of one name", param="data")
    bound = chat.bind_tools([tool.definition for tool in tools.values()])
    begun = time.perf_counter()
    message = await bound.ainvoke([*case.messages])
    seconds = time.perf_counter() - begun
    if (spoke := message.response_metadata["engine"]) != engine:
        raise EngineUnavailable(f"{engine} did not answer: {spoke} did in its place")
    return Reply(tuple(_attempts(message, tools)), str(message.text), seconds)


def _attempts(message: AIMessage, tools: Mapping[str, Tool]) -> Iterator[Attempt]:
    for call in message.tool_calls:
        tool = tools.get(call["name"])
        if tool is None:
            yield Attempt(call["name"], call["args"], "no such function was offered")
            continue
        wrong = next(jsonschema_rs.validator_for(tool.parameters).iter_errors(call["args"]), None)
        yield Attempt(tool.original, call["args"], wrong.message if wrong else None)
    for broken in message.invalid_tool_calls:
        name = str(broken["name"])
        original = tools[name].original if name in tools else name
        yield Attempt(original, {}, f"its arguments cannot be read: {broken['args']}")
    cut_off = message.response_metadata.get("finish_reason") == "length"
    if cut_off and not (message.text or message.tool_calls or message.invalid_tool_calls):
        # The engine leaves out half a call, of which not even the name can be relied on.
        yield Attempt("?", {}, f"cut off after {TOKENS} tokens")


def verdict(case: Question, out: Reply) -> str | None:
    """What is wrong with the reply, in words; None when it is right."""
    if case.expected is None:
        called = (f"{each.name}{f' ({each.invalid})' if each.invalid else ''}" for each in out.attempts)
        return f"calls {', '.join(called)}, and nothing fits" if out.attempts else None
    if len(out.attempts) != 1:
        return "makes several calls" if out.attempts else "makes no call"
    (attempt,) = out.attempts
    if attempt.invalid is not None:
        return f"the call of {attempt.name} is invalid: {attempt.invalid}"
    named = {function["name"]: function for function in case.functions}
    return fault(attempt.name, attempt.arguments, named[case.expected.name], case.expected)


def full_call(case: Question, out: Reply) -> float | None:
    """1 when the one call is right in name and arguments."""
    return float(verdict(case, out) is None) if case.expected else None


def name(case: Question, out: Reply) -> float | None:
    """1 when there is one call and it names the right function, whatever its arguments."""
    return float([each.name for each in out.attempts] == [case.expected.name]) if case.expected else None


def irrelevance(case: Question, out: Reply) -> float | None:
    """1 when nothing was called, where nothing fits."""
    return None if case.expected else float(verdict(case, out) is None)


def invalid(_: Question, out: Reply) -> float | None:
    """1 when a call could not be executed as it stands, where anything was called."""
    return float(any(each.invalid for each in out.attempts)) if out.attempts else None


SCORERS: tuple[Scorer[Question, Reply], ...] = (
    Scorer("full_call_accuracy", full_call),
    Scorer("name_accuracy", name),
    Scorer("irrelevance_accuracy", irrelevance),
    Scorer("invalid_calls", invalid, lower_is_better=True),
    Scorer("seconds", lambda _, out: out.seconds, lower_is_better=True),
)


def _details(case: Question, out: Reply) -> Mapping[str, str]:
    called = "\n".join(f"{each.name}({dict(each.arguments)!r})" for each in out.attempts)
    expected = case.expected
    return {
        "question": "\n".join(str(message["content"]) for message in case.messages),
        "offered": ", ".join(function["name"] for function in case.functions),
        "expected": f"{expected.name}: {dict(expected.arguments)!r}" if expected else "no call",
        "called": called or "nothing",
        "said": out.text or "nothing",
        "wrong": verdict(case, out) or "nothing",
    }


def _lost(questions: Sequence[Question]) -> str:
    """What the schemas of how many questions cannot say; translating them all tells of a wrong type at the start."""
    counts: dict[str, int] = {}
    for question in questions:
        for lost in frozenset().union(*(translate(function).lost for function in question.functions)):
            counts[lost] = counts.get(lost, 0) + 1
    return (
        "; ".join(f"{lost} ({count} of {len(questions)} questions)" for lost, count in sorted(counts.items()))
        or "nothing"
    )
