from typing import Any, get_type_hints

import pytest
from openai.types.responses.response_create_params import ResponseCreateParamsBase
from pydantic import ValidationError

from app.api.responses.request import HONOURED, REFUSED, ResponseRequest
from app.parts import SentPicture
from core.errors import InvalidInput, TooLarge, UnsupportedParameter

BODY: dict[str, Any] = {"model": "wayside", "input": "hi"}


def asked(given: Any) -> ResponseRequest:
    return ResponseRequest.model_validate({**BODY, "input": given})


def test_every_parameter_of_the_official_client_is_classified() -> None:
    known = get_type_hints(ResponseCreateParamsBase).keys() | {"stream"}
    assert known == HONOURED | REFUSED.keys()
    assert not HONOURED & REFUSED.keys()


def test_what_is_honoured_is_in_the_schema() -> None:
    assert ResponseRequest.model_fields.keys() == HONOURED


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_not_honoured_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnsupportedParameter) as refused:
        ResponseRequest.model_validate({**BODY, name: {"x": 1}})
    assert refused.value.param == name
    ResponseRequest.model_validate({**BODY, name: None})


@pytest.mark.parametrize(("name", "value"), [(name, each) for name, r in REFUSED.items() for each in r.neutral])
def test_a_value_that_asks_for_nothing_is_no_reason_to_refuse(name: str, value: Any) -> None:
    ResponseRequest.model_validate({**BODY, name: value})


@pytest.mark.parametrize(
    ("name", "value"), [("parallel_tool_calls", 1), ("top_logprobs", False), ("truncation", "auto"), ("shade", 1)]
)
def test_what_is_nearly_neutral_or_unknown_is_refused(name: str, value: Any) -> None:
    with pytest.raises((UnsupportedParameter, ValidationError)):
        ResponseRequest.model_validate({**BODY, name: value})


@pytest.mark.parametrize("model", ["echo-1", "gpt-5"])
def test_another_model_is_refused_before_anything_else(model: str) -> None:
    with pytest.raises(UnsupportedParameter, match="/v1/chat/completions") as refused:
        ResponseRequest.model_validate({"model": model, "input": "hi", "temperature": 1})
    assert refused.value.param == "model"


def test_consent_is_not_given_here() -> None:
    consent = {"type": "mcp_approval_response", "approval_request_id": "apr_1", "approve": True}
    with pytest.raises(UnsupportedParameter, match="/api/approvals") as refused:
        asked([{"role": "user", "content": "yes"}, consent])
    assert refused.value.param == "input.1.type"


@pytest.mark.parametrize(
    "kind", ["mcp_call", "mcp_approval_request", "function_call_output", "item_reference", "reasoning", "nonsense"]
)
def test_items_that_are_no_messages_are_refused_where_they_stand(kind: str) -> None:
    with pytest.raises(UnsupportedParameter, match="previous_response_id") as refused:
        asked([{"type": kind, "id": "x"}, {"role": "user", "content": "go on"}])
    assert refused.value.param == "input.0.type"


@pytest.mark.parametrize(
    ("role", "part", "place"),
    [
        ("user", {"type": "input_audio"}, "type"),
        ("user", {"type": "input_image", "file_id": "file-1"}, "file_id"),
        ("system", {"type": "input_image", "image_url": "data:image/png;base64,SGk="}, "type"),
    ],
)
def test_media_is_refused_where_it_stands(role: str, part: dict[str, str], place: str) -> None:
    with pytest.raises(UnsupportedParameter) as refused:
        asked([{"role": role, "content": [{"type": "input_text", "text": "see"}, part]}])
    assert refused.value.param == f"input.0.content.1.{place}"


def test_a_picture_may_be_all_that_is_sent() -> None:
    url = "data:image/png;base64,SGk="
    request = asked([{"role": "user", "content": [{"type": "input_image", "image_url": url, "detail": "high"}]}])
    assert request.media == [[SentPicture(url, "input.0.content.0.image_url")]]
    request.check(10)


@pytest.mark.parametrize(
    "given",
    [
        None,
        3,
        [],
        [3],
        [{"content": "x"}],
        [{"role": "tool", "content": "x"}],
        [{"role": "user"}],
        [{"role": "user", "content": [{"type": "output_text", "text": "mine"}]}],
        [{"role": "assistant", "content": [{"type": "input_text", "text": "yours"}]}],
        [{"role": "user", "content": "x", "name": "jo"}],
        [{"role": "user", "content": [{"type": []}]}],
    ],
)
def test_what_is_no_input_is_no_crash(given: Any) -> None:
    with pytest.raises(ValidationError):
        asked(given)


@pytest.mark.parametrize("role", ["system", "developer"])
def test_files_come_with_a_users_message_only(role: str) -> None:
    file = {"type": "input_file", "filename": "a.txt", "file_data": "YQ=="}
    with pytest.raises(UnsupportedParameter) as refused:
        asked([{"role": role, "content": [file]}, {"role": "user", "content": "what does it say?"}])
    assert refused.value.param == "input.0.content.0.type"


def test_messages_of_all_kinds_become_text() -> None:
    parts = [{"type": "input_text", "text": "one"}, {"type": "input_text", "text": "two"}]
    before = {"type": "output_text", "text": "I see", "annotations": [{"type": "url_citation"}], "logprobs": []}
    request = asked(
        [
            {"role": "developer", "content": "be brief"},
            {"type": "message", "role": "user", "content": parts},
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [before]},
            {"role": "user", "content": "and then?"},
        ]
    )
    assert [each["role"] for each in request.messages] == ["developer", "user", "assistant", "user"]
    assert [each["content"] for each in request.messages] == ["be brief", "one\ntwo", "I see", "and then?"]
    request.check(100)


@pytest.mark.parametrize(
    ("given", "param"),
    [("  ", "input"), ([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "input.1")],
)
def test_the_user_has_the_last_word(given: Any, param: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        asked(given).check(100)
    assert refused.value.param == param


def test_the_text_in_sum_is_limited() -> None:
    request = ResponseRequest.model_validate({**BODY, "input": "x" * 60, "instructions": "y" * 41})
    request.check(101)
    with pytest.raises(TooLarge):
        request.check(100)


@pytest.mark.parametrize("metadata", [{"k" * 65: "v"}, {"k": "v" * 513}, {str(i): "v" for i in range(17)}, {"k": 1}])
def test_metadata_has_the_protocol_s_limits(metadata: Any) -> None:
    with pytest.raises(ValidationError):
        ResponseRequest.model_validate({**BODY, "metadata": metadata})
