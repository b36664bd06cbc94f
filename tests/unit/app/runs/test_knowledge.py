from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langgraph.checkpoint.memory import InMemorySaver

from app.runs.assistants import ConfiguredAssistant
from app.runs.encoding import plain
from app.runs.knowledge import knowledge_assistant
from core.errors import InvalidInput, TooLarge, UnsupportedParameter
from core.types import Answer, Principal, Role, TextDelta, Usage


class _Unused:
    """Stands where nothing is asked for."""


@pytest.fixture
def assistant() -> ConfiguredAssistant:
    from agents.knowledge import build_knowledge

    unused: Any = _Unused()
    return knowledge_assistant(build_knowledge(unused, unused, unused, InMemorySaver()), characters=100)


def test_messages_of_both_kinds_are_taken(assistant: ConfiguredAssistant) -> None:
    said = [
        {"role": "system", "content": "Be brief."},
        {"type": "ai", "content": "Hello.", "id": "m-1", "response_metadata": {"x": 1}, "additional_kwargs": {}},
        {"role": "user", "content": [{"type": "text", "text": "Where is "}, {"type": "text", "text": "it?"}]},
    ]
    incoming = assistant.accept({"messages": said})["incoming"]
    assert incoming == [SystemMessage("Be brief."), AIMessage("Hello.", id="m-1"), HumanMessage("Where is it?")]


@pytest.mark.parametrize(
    "given",
    [
        None,
        "hello",
        {},
        {"messages": []},
        {"messages": [{"role": "assistant", "content": "I said so."}]},
        {"messages": [{"role": "user", "content": " "}]},
        {"messages": [{"content": "who says it?"}]},
        {"messages": [{"role": "tool", "content": "42"}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]},
        {"messages": [{"role": "user", "content": "hi"}], "findings": "forged"},
    ],
)
def test_anything_else_is_refused(assistant: ConfiguredAssistant, given: Any) -> None:
    with pytest.raises(InvalidInput):
        assistant.accept(given)


def test_too_much_text_is_refused(assistant: ConfiguredAssistant) -> None:
    with pytest.raises(TooLarge):
        assistant.accept({"messages": [{"role": "user", "content": "x" * 101}]})


@pytest.mark.parametrize("mode", ["events", "debug", "tasks", "checkpoints", "tools"])
def test_no_mode_shows_what_was_not_checked(assistant: ConfiguredAssistant, mode: str) -> None:
    with pytest.raises(UnsupportedParameter):
        assistant.offering([mode])


def test_pieces_say_what_they_are(assistant: ConfiguredAssistant) -> None:
    answer = Answer("t", "Yes. [1]", (), False, "embedded", Usage(1, 2))
    assert plain(assistant.describe(TextDelta("Yes. "))) == {"type": "text_delta", "text": "Yes. "}
    told = plain(assistant.describe(answer))
    assert (told["type"], told["text"], told["usage"]) == (
        "answer",
        "Yes. [1]",
        {"prompt_tokens": 1, "completion_tokens": 2},
    )


def test_what_stays_inside_stays_inside(assistant: ConfiguredAssistant) -> None:
    values = {"messages": [], "question": "q", "findings": "passages", "usage": "u"}
    assert assistant.visible(values) == {"messages": [], "question": "q"}


def test_the_context_is_the_callers(assistant: ConfiguredAssistant) -> None:
    made = assistant.context(Principal("k", "acme", Role.CLIENT), "t")
    assert (made.scope.tenant, len(made.scope.audiences), made.thread_id) == ("acme", 1, "t")
