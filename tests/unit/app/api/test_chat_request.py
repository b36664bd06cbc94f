from typing import Any, get_type_hints

import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsBase
from pydantic import ValidationError

from app.api.chat_request import PARAMETERS, ChatRequest, For, media_of, text_of
from app.parts import Sent
from app.runs.wayside import WAYSIDE
from core.errors import TooLarge, UnsupportedParameter

BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
REFUSED = sorted(name for name, (honoured, _) in PARAMETERS.items() if honoured is For.NONE)
ENGINES_ONLY = sorted(name for name, (honoured, _) in PARAMETERS.items() if honoured is For.ENGINES)


def test_every_parameter_of_the_official_client_is_classified() -> None:
    known = get_type_hints(CompletionCreateParamsBase).keys() | {"stream"}
    assert known == PARAMETERS.keys()


def test_what_is_honoured_is_in_the_schema() -> None:
    honoured = {name for name, (whom, _) in PARAMETERS.items() if whom is not For.NONE}
    assert honoured == ChatRequest.model_fields.keys()


@pytest.mark.parametrize("name", REFUSED)
def test_what_nobody_honours_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnsupportedParameter) as refused:
        ChatRequest.model_validate({**BODY, name: {"x": 1}})
    assert refused.value.param == name
    ChatRequest.model_validate({**BODY, name: None})


@pytest.mark.parametrize("name", ENGINES_ONLY)
def test_the_agent_decides_for_itself(name: str) -> None:
    with pytest.raises(UnsupportedParameter) as refused:
        ChatRequest.model_validate({**BODY, "model": WAYSIDE, name: [1]})
    assert refused.value.param == name


@pytest.mark.parametrize(
    ("name", "value"),
    [("n", 1), ("store", False), ("logprobs", False), ("service_tier", "auto"), ("modalities", ["text"])],
)
def test_a_value_that_asks_for_nothing_is_no_reason_to_refuse(name: str, value: Any) -> None:
    ChatRequest.model_validate({**BODY, "model": WAYSIDE, name: value})


@pytest.mark.parametrize(("name", "value"), [("n", True), ("n", 2), ("store", 0), ("store", True)])
def test_one_is_not_true_and_zero_is_not_false(name: str, value: Any) -> None:
    with pytest.raises(UnsupportedParameter):
        ChatRequest.model_validate({**BODY, name: value})


@pytest.mark.parametrize("kind", ["image_url", "input_audio", "file"])
def test_media_is_refused_where_it_stands(kind: str) -> None:
    parts = [{"type": "text", "text": "see"}, {"type": kind, kind: {}}]
    with pytest.raises(UnsupportedParameter) as refused:
        ChatRequest.model_validate({**BODY, "messages": [{"role": "user", "content": parts}]})
    assert refused.value.param == "messages.0.content.1.type"


def test_only_a_user_sends_media_and_only_to_the_agent() -> None:
    part = {"type": "file", "file": {"filename": "a.txt", "file_data": "SGk="}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "see"}, part]}]
    request = ChatRequest.model_validate({"model": WAYSIDE, "messages": messages})
    assert text_of(request.messages[0]) == "see"
    [[file]] = media_of(request)
    assert file == Sent("a.txt", "SGk=", "messages.0.content.1.file.file_data")
    assert media_of(ChatRequest.model_validate(BODY)) == []
    for role in ("system", "developer", "assistant", "tool"):
        with pytest.raises(UnsupportedParameter):
            ChatRequest.model_validate({"model": WAYSIDE, "messages": [{"role": role, "content": [part]}]})


@pytest.mark.parametrize("body", [None, [], "x", {}, {"messages": 3, "model": {}}, {"messages": [3], "model": "m"}])
def test_what_is_no_request_is_no_crash(body: Any) -> None:
    with pytest.raises(ValidationError):
        ChatRequest.model_validate(body)


def test_the_text_of_all_messages_is_limited() -> None:
    parts = [{"type": "text", "text": "x" * 60}]
    messages = [{"role": "user", "content": parts}, {"role": "user", "content": "y" * 60}]
    request = ChatRequest.model_validate({**BODY, "messages": messages})
    request.check(120)
    with pytest.raises(TooLarge):
        request.check(119)
