import asyncio
import base64
from typing import Any

import pytest

from core.errors import EngineUnavailable, MissingExtra, RateLimited
from core.settings import RealtimeSettings
from tests.fakes.listening import SILENCE, Caller, ScriptedAgent, calling, sound
from tests.fakes.speaker import HummingSpeaker
from tests.fakes.transcriber import FakeTranscriber

WRITTEN = {"output_modalities": ["text"]}
LONG = ("One two three four. ", "Five six seven eight. ", "Nine ten eleven twelve.")


async def update(caller: Caller, **session: Any) -> None:
    await caller.send("session.update", session={"type": "realtime", **session})


async def test_a_session_begins_with_what_it_is() -> None:
    async with calling("thread-7") as caller:
        created = caller.got[0]
        assert created["type"] == "session.created"
        assert created["session"]["model"] == "wayside"
        assert created["session"]["audio"]["output"]["voice"] == "hum"
        assert created["session"]["wayside"]["thread_id"] == "thread-7"


async def test_a_written_turn_is_answered_in_order() -> None:
    async with calling() as caller:
        await update(caller, **WRITTEN)
        await caller.write("Can I return a tent?")
        await caller.send("response.create")
        done = await caller.until("response.done")
        assert caller.kinds[1:] == [
            "session.updated",
            "conversation.item.added",
            "conversation.item.done",
            "response.created",
            "response.output_item.added",
            "conversation.item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "conversation.item.done",
            "response.done",
        ]
        text = "You can return a tent. It takes thirty days. [1]"
        assert "".join(event["delta"] for event in caller.of("response.output_text.delta")) == text
        assert done["response"]["output"][0]["content"] == [{"type": "output_text", "text": text}]
        assert done["response"]["usage"] == {"input_tokens": 7, "output_tokens": 5, "total_tokens": 12}
        assert done["response"]["wayside"]["thread_id"] == caller.session.thread_id


async def test_a_spoken_answer_is_its_sentences_one_by_one() -> None:
    async with calling() as caller:
        await caller.write("Can I return a tent?")
        await caller.send("response.create")
        done = await caller.until("response.done")
        kinds = caller.kinds
        assert kinds.index("response.output_audio.delta") < len(kinds) - kinds[::-1].index(
            "response.output_audio_transcript.delta"
        )
        voice = HummingSpeaker()
        told = ["You can return a tent. ", "It takes thirty days. [1]"]
        expected = b"".join([piece for text in told async for piece in voice.speak(text)])
        assert caller.pcm() == expected
        assert done["response"]["output"][0]["content"] == [{"type": "output_audio", "transcript": "".join(told)}]


async def test_what_is_said_is_heard_and_answered() -> None:
    agent = ScriptedAgent()
    async with calling(agent=agent) as caller:
        await update(caller, audio={"input": {"transcription": {"model": "whisper-tiny.en"}}})
        await caller.say(SILENCE, sound(1), sound(0.7), SILENCE)
        await caller.until("response.done")
        item = caller.of("input_audio_buffer.speech_started")[0]["item_id"]
        assert caller.of("input_audio_buffer.speech_started")[0]["audio_start_ms"] == 300
        assert caller.of("input_audio_buffer.speech_stopped")[0]["item_id"] == item
        assert caller.of("input_audio_buffer.committed")[0]["item_id"] == item
        heard = caller.of("conversation.item.input_audio_transcription.completed")[0]
        assert heard["transcript"] == "Where is my order?"
        deltas = caller.of("conversation.item.input_audio_transcription.delta")
        assert "".join(event["delta"] for event in deltas) == "Where is my order?"
        assert [message.text for message in agent.turns[0].messages] == ["Where is my order?"]
        [spoken] = agent.turns[0].messages[0].observed.heard
        assert (spoken.where, spoken.text, spoken.seconds > 1) == (item, "Where is my order?", True)


async def test_nobody_is_told_what_was_heard_who_did_not_ask() -> None:
    async with calling() as caller:
        await caller.say(sound(1), SILENCE)
        await caller.until("response.done")
        assert not any("transcription" in kind for kind in caller.kinds)


async def test_a_noise_without_words_is_not_answered() -> None:
    agent = ScriptedAgent()
    async with calling(agent=agent, hearing=FakeTranscriber(("",))) as caller:
        await caller.say(sound(0.3), SILENCE)
        await caller.until("conversation.item.done")
        await caller.write("hello")
        await caller.send("response.create")
        await caller.until("response.done")
        assert [[message.text for message in turn.messages] for turn in agent.turns] == [["hello"]]


async def test_without_turn_detection_the_client_says_when() -> None:
    agent = ScriptedAgent()
    async with calling(agent=agent) as caller:
        await update(caller, audio={"input": {"turn_detection": None}})
        await caller.say(sound(1), SILENCE, sound(0.5))
        await caller.send("input_audio_buffer.commit")
        await caller.send("response.create")
        await caller.until("response.done")
        assert "input_audio_buffer.speech_started" not in caller.kinds
        assert len(agent.turns) == 1


async def test_what_was_cleared_was_not_said() -> None:
    async with calling() as caller:
        await update(caller, audio={"input": {"turn_detection": None}})
        await caller.say(sound(1))
        await caller.send("input_audio_buffer.clear")
        await caller.send("input_audio_buffer.commit", event_id="e9")
        refused = await caller.until("error")
        assert refused["error"]["code"] == "input_audio_buffer_commit_empty"
        assert refused["error"]["event_id"] == "e9"


async def test_whoever_interrupts_stops_the_voice_and_not_the_turn() -> None:
    agent, voice = ScriptedAgent(answers=[LONG]), HummingSpeaker()
    voice.gate = asyncio.Semaphore(1)
    async with calling(agent=agent, speaking=voice) as caller:
        await caller.write("count")
        await caller.send("response.create")
        await caller.until("response.output_audio.delta")
        await caller.say(sound(0.5))
        done = await caller.until("response.done")
        assert done["response"]["status"] == "cancelled"
        assert done["response"]["status_details"]["reason"] == "turn_detected"
        cut = await caller.until("conversation.item.truncated")
        assert cut["item_id"] == done["response"]["output"][0]["id"]
        voice.gate = None
        await caller.say(SILENCE)
        await caller.until("response.done", 2)
        assert len(agent.finished) == 2
        said, heard = agent.marks[0]
        assert said == "".join(LONG)
        assert said.startswith(heard)
        assert len(heard) <= len("One two three four.")


async def test_a_turn_at_work_is_not_repeated_when_it_was_interrupted() -> None:
    agent = ScriptedAgent(answers=[("The order is cancelled.",), ("Yes.",)])
    agent.gate = asyncio.Semaphore(0)
    async with calling(agent=agent) as caller:
        await caller.write("Cancel my order.")
        await caller.send("response.create")
        await caller.until("response.content_part.added")
        await caller.say(sound(0.5), SILENCE)
        assert (await caller.until("response.done"))["response"]["status"] == "cancelled"
        # The next turn waits for the end of the first.
        assert len(agent.turns) == 1
        agent.gate.release()
        agent.gate.release()
        await caller.until("response.done", 2)
        assert len(agent.turns) == len(agent.finished) == 2
        assert agent.marks == [("The order is cancelled.", "")]


async def test_whoever_goes_on_speaking_is_answered_once_to_all_of_it() -> None:
    agent = ScriptedAgent()
    hearing = FakeTranscriber(("Hello",))
    gate = asyncio.Event()

    class Slow(FakeTranscriber):
        async def transcribe(self, *args: Any, **options: Any) -> Any:
            await gate.wait()
            return await hearing.transcribe(*args, **options)

    async with calling(agent=agent, hearing=Slow()) as caller:
        await caller.say(sound(0.5), SILENCE, sound(0.5))
        gate.set()
        await caller.until("conversation.item.done")
        await caller.say(SILENCE)
        await caller.until("response.done")
        assert [[message.text for message in turn.messages] for turn in agent.turns] == [["Hello", "Hello"]]


async def test_a_client_stops_the_voice_and_says_what_was_heard() -> None:
    agent, voice = ScriptedAgent(answers=[LONG]), HummingSpeaker()
    async with calling(agent=agent, speaking=voice) as caller:
        await caller.write("count")
        await caller.send("response.create")
        done = await caller.until("response.done")
        item = done["response"]["output"][0]["id"]
        # Ten milliseconds a character: the first sentence, and half of the second one.
        await caller.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=190 + 110)
        await caller.until("conversation.item.truncated")
        await caller.write("go on")
        await caller.send("response.create")
        await caller.until("response.done", 2)
        assert agent.marks == [("".join(LONG), "One two three four. Five six")]
        await caller.send("conversation.item.retrieve", item_id=item)
        told = await caller.until("conversation.item.retrieved")
        assert told["item"]["content"][0]["transcript"] == "One two three four. Five six"


async def test_a_cancelled_response_ends_as_one() -> None:
    agent, voice = ScriptedAgent(answers=[LONG]), HummingSpeaker()
    voice.gate = asyncio.Semaphore(1)
    async with calling(agent=agent, speaking=voice) as caller:
        await caller.write("count")
        await caller.send("response.create")
        await caller.until("response.output_audio.delta")
        await caller.send("response.cancel")
        done = await caller.until("response.done")
        assert done["response"]["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
        await caller.send("response.cancel")
        assert (await caller.until("error"))["error"]["code"] == "response_cancel_not_active"


async def test_whoever_hangs_up_is_not_read_to() -> None:
    agent = ScriptedAgent()
    agent.gate = asyncio.Semaphore(0)
    async with calling(agent=agent) as caller:
        await caller.write("hello")
        await caller.send("response.create")
        await caller.until("response.content_part.added")
    assert agent.left == [agent.turns[0].id]
    assert not agent.finished


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


async def test_a_turn_that_fails_is_a_response_that_failed() -> None:
    agent = ScriptedAgent(answers=[EngineUnavailable("nobody there")])
    async with calling(agent=agent) as caller:
        await caller.write("hello")
        await caller.send("response.create")
        done = await caller.until("response.done")
        assert done["response"]["status"] == "failed"
        assert done["response"]["status_details"]["error"]["code"] == "engine_unavailable"


async def test_a_voice_that_fails_leaves_the_turn() -> None:
    agent, voice = ScriptedAgent(), HummingSpeaker()
    voice.failure = EngineUnavailable("no voice")
    async with calling(agent=agent, speaking=voice) as caller:
        await caller.write("hello")
        await caller.send("response.create")
        assert (await caller.until("response.done"))["response"]["status"] == "failed"
        voice.failure = None
        await caller.write("again")
        await caller.send("response.create")
        assert (await caller.until("response.done", 2))["response"]["status"] == "completed"
        assert len(agent.finished) == 2


async def test_sound_that_cannot_be_understood_is_told() -> None:
    hearing = FakeTranscriber()
    hearing.failure = EngineUnavailable("deaf")
    async with calling(hearing=hearing) as caller:
        await caller.say(sound(0.5), SILENCE)
        failed = await caller.until("conversation.item.input_audio_transcription.failed")
        assert failed["error"]["code"] == "engine_unavailable"


async def test_instructions_are_told_once_and_when_they_change() -> None:
    agent = ScriptedAgent()
    async with calling(agent=agent) as caller:
        await update(caller, instructions="Be brief.", **WRITTEN)
        for number in (1, 2):
            await caller.write("hello")
            await caller.send("response.create")
            await caller.until("response.done", number)
        assert [[message.speaker for message in turn.messages] for turn in agent.turns] == [
            ["system", "user"],
            ["user"],
        ]


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


async def test_a_recording_is_a_message_too() -> None:
    agent = ScriptedAgent()
    async with calling(agent=agent) as caller:
        item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": sound(1.7)}]}
        await caller.send("conversation.item.create", item=item)
        await caller.send("response.create")
        await caller.until("response.done")
        assert agent.turns[0].messages[0].text == "Where is my order?"


async def test_a_session_hears_only_so_much() -> None:
    async with calling(limits=RealtimeSettings(audio_seconds=1)) as caller:
        await caller.say(sound(0.9), sound(0.2))
        assert (await caller.until("error"))["error"]["code"] == "too_large"


async def test_a_message_that_a_client_ends_is_only_so_long() -> None:
    async with calling(limits=RealtimeSettings(message_seconds=1)) as caller:
        await update(caller, audio={"input": {"turn_detection": None}})
        await caller.say(sound(0.9), sound(0.2))
        assert (await caller.until("error"))["error"]["code"] == "too_large"
        await caller.send("input_audio_buffer.commit")
        await caller.until("input_audio_buffer.committed")
        long = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": sound(1.1)}]}
        await caller.send("conversation.item.create", item=long)
        assert (await caller.until("error", 2))["error"]["code"] == "too_large"


async def test_somebody_who_never_pauses_is_answered_all_the_same() -> None:
    agent = ScriptedAgent()
    async with calling(agent=agent, limits=RealtimeSettings(message_seconds=2)) as caller:
        await caller.say(*[sound(0.5)] * 6)
        await caller.until("input_audio_buffer.committed")


async def test_without_ears_or_voice_there_is_text() -> None:
    missing = MissingExtra("hibari-tts", "voice")
    async with calling(hearing=MissingExtra("faster-whisper", "voice"), speaking=missing) as caller:
        assert caller.got[0]["session"]["output_modalities"] == ["text"]
        await caller.say(SILENCE)
        assert (await caller.until("error"))["error"]["code"] == "missing_extra"
        await update(caller, output_modalities=["audio"])
        assert "pip install" in (await caller.until("error", 2))["error"]["message"]
        await caller.write("hello")
        await caller.send("response.create")
        assert (await caller.until("response.done"))["response"]["status"] == "completed"


async def test_voice_and_speed_are_the_sessions() -> None:
    async with calling() as caller:
        await update(caller, audio={"output": {"voice": "drone", "speed": 0.5}})
        await caller.write("hello")
        await caller.send("response.create")
        await caller.until("response.done")
        said = [piece async for piece in HummingSpeaker().speak("You can return a tent.", voice="drone", speed=0.5)]
        assert caller.pcm().startswith(said[0])
        assert len(base64.b64decode(caller.of("response.output_audio.delta")[0]["delta"])) <= 12_000
