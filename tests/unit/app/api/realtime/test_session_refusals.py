"""What a session refuses, each by its name, and goes on."""

import asyncio
from typing import Any

import pytest

from core.errors import RateLimited
from core.settings import RealtimeSettings
from tests.fakes.listening import ScriptedAgent, calling, sound


async def test_what_was_cleared_was_not_said() -> None:
    async with calling() as caller:
        await caller.update(audio={"input": {"turn_detection": None}})
        await caller.say(sound(1))
        await caller.send("input_audio_buffer.clear")
        await caller.send("input_audio_buffer.commit", event_id="e9")
        refused = await caller.until("error")
        assert refused["error"]["code"] == "input_audio_buffer_commit_empty"
        assert refused["error"]["event_id"] == "e9"


async def test_one_response_at_a_time() -> None:
    agent = ScriptedAgent()
    agent.gate = asyncio.Semaphore(0)
    async with calling(agent=agent) as caller:
        await caller.write("hello")
        await caller.send("response.create")
        await caller.send("response.create", event_id="e2")
        refused = await caller.until("error")
        assert refused["error"]["code"] == "conversation_already_has_active_response"
        agent.gate.release()
        agent.gate.release()
        await caller.until("response.done")
        assert len(agent.turns) == 1


async def test_the_rate_counts_responses() -> None:
    async def over() -> None:
        raise RateLimited("too many", retry_after=3)

    async with calling(admit=over) as caller:
        await caller.write("hello")
        await caller.send("response.create", event_id="e1")
        refused = await caller.until("error")
        assert (refused["error"]["code"], refused["error"]["event_id"]) == ("rate_limited", "e1")


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        ({"type": "nonsense"}, "invalid_input", "type"),
        ({}, "invalid_input", "type"),
        ({"type": "output_audio_buffer.clear"}, "unsupported_operation", "type"),
        ({"type": "input_audio_buffer.append"}, "invalid_input", "audio"),
        ({"type": "input_audio_buffer.append", "audio": "%"}, "invalid_input", "audio"),
        ({"type": "input_audio_buffer.append", "audio": "QQ=="}, "invalid_input", "audio"),
        ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty", None),
        ({"type": "response.create"}, "nothing_to_answer", None),
        ({"type": "response.create", "response": {"tools": []}}, "unsupported_parameter", "response.tools"),
        (
            {"type": "response.create", "response": {"instructions": "x"}},
            "unsupported_parameter",
            "response.instructions",
        ),
        ({"type": "response.cancel"}, "response_cancel_not_active", "response_id"),
        ({"type": "conversation.item.retrieve", "item_id": "x"}, "not_found", "item_id"),
        ({"type": "conversation.item.delete", "item_id": "x"}, "not_found", "item_id"),
        (
            {"type": "conversation.item.truncate", "item_id": "x", "content_index": 0, "audio_end_ms": 1},
            "not_found",
            "item_id",
        ),
        (
            {"type": "session.update", "session": {"tools": [{"type": "function"}]}},
            "unsupported_parameter",
            "session.tools",
        ),
        ({"type": "session.update", "session": {"temperature": 1}}, "unsupported_parameter", "session.temperature"),
        ({"type": "session.update", "session": {"model": "gpt"}}, "invalid_input", "session.model"),
        (
            {"type": "session.update", "session": {"audio": {"output": {"voice": "alloy"}}}},
            "invalid_input",
            "session.audio.output.voice",
        ),
        (
            {"type": "session.update", "session": {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}},
            "invalid_input",
            "session.audio.input.turn_detection.type",
        ),
        (
            {"type": "session.update", "session": {"audio": {"input": {"format": {"type": "audio/pcmu"}}}}},
            "invalid_input",
            "session.audio.input.format.type",
        ),
        (
            {"type": "session.update", "session": {"audio": {"input": {"transcription": {"model": "whisper-2"}}}}},
            "invalid_input",
            "session.audio.input.transcription.model",
        ),
        (
            {
                "type": "conversation.item.create",
                "item": {"type": "function_call_output", "call_id": "c", "output": ""},
            },
            "unsupported_parameter",
            "item.type",
        ),
        (
            {
                "type": "conversation.item.create",
                "item": {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "x"}]},
            },
            "unsupported_parameter",
            "item.content.0",
        ),
    ],
)
async def test_what_is_not_honoured_is_refused_by_name(event: dict[str, Any], code: str, param: str | None) -> None:
    async with calling() as caller:
        if event:
            await caller.send(
                **{"kind": event["type"], "event_id": "e1"} | {k: v for k, v in event.items() if k != "type"}
            )
        else:
            await caller.session.handle(b"{}")
        refused = (await caller.until("error"))["error"]
        assert (refused["code"], refused["param"]) == (code, param)


async def test_what_is_no_json_is_refused() -> None:
    async with calling() as caller:
        await caller.session.handle("{no")
        assert (await caller.until("error"))["error"]["code"] == "invalid_json"


async def test_items_are_named_once_and_stay_when_answered() -> None:
    async with calling() as caller:
        await caller.write("hello", id="a")
        await caller.write("hello", id="a")
        assert (await caller.until("error"))["error"]["param"] == "item.id"
        await caller.write("wrong", id="b")
        await caller.send("conversation.item.delete", item_id="b")
        await caller.until("conversation.item.deleted")
        await caller.send("response.create")
        await caller.until("response.done")
        await caller.send("conversation.item.delete", item_id="a")
        assert (await caller.until("error", 2))["error"]["code"] == "conflict"


async def test_a_session_hears_only_so_much() -> None:
    async with calling(limits=RealtimeSettings(audio_seconds=1)) as caller:
        await caller.say(sound(0.9), sound(0.2))
        assert (await caller.until("error"))["error"]["code"] == "too_large"


async def test_a_message_that_a_client_ends_is_only_so_long() -> None:
    async with calling(limits=RealtimeSettings(message_seconds=1)) as caller:
        await caller.update(audio={"input": {"turn_detection": None}})
        await caller.say(sound(0.9), sound(0.2))
        assert (await caller.until("error"))["error"]["code"] == "too_large"
        await caller.send("input_audio_buffer.commit")
        await caller.until("input_audio_buffer.committed")
        long = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": sound(1.1)}]}
        await caller.send("conversation.item.create", item=long)
        assert (await caller.until("error", 2))["error"]["code"] == "too_large"
