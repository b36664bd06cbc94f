"""What a session does with what is said and written to it."""

import base64

from core.errors import EngineUnavailable, MissingExtra
from core.settings import RealtimeSettings
from tests.fakes.listening import SILENCE, ScriptedAgent, calling, sound
from tests.fakes.speaker import HummingSpeaker
from tests.fakes.transcriber import FakeTranscriber

WRITTEN = {"output_modalities": ["text"]}


async def test_a_session_begins_with_what_it_is() -> None:
    async with calling("thread-7") as caller:
        created = caller.got[0]
        assert created["type"] == "session.created"
        assert created["session"]["model"] == "wayside"
        assert created["session"]["audio"]["output"]["voice"] == "hum"
        assert created["session"]["wayside"]["thread_id"] == "thread-7"


async def test_a_written_turn_is_answered_in_order() -> None:
    async with calling() as caller:
        await caller.update(**WRITTEN)
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
        await caller.update(audio={"input": {"transcription": {"model": "whisper-tiny.en"}}})
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
        await caller.update(audio={"input": {"turn_detection": None}})
        await caller.say(sound(1), SILENCE, sound(0.5))
        await caller.send("input_audio_buffer.commit")
        await caller.send("response.create")
        await caller.until("response.done")
        assert "input_audio_buffer.speech_started" not in caller.kinds
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
        await caller.update(instructions="Be brief.", **WRITTEN)
        for number in (1, 2):
            await caller.write("hello")
            await caller.send("response.create")
            await caller.until("response.done", number)
        assert [[message.speaker for message in turn.messages] for turn in agent.turns] == [
            ["system", "user"],
            ["user"],
        ]


async def test_a_recording_is_a_message_too() -> None:
    agent = ScriptedAgent()
    async with calling(agent=agent) as caller:
        item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": sound(1.7)}]}
        await caller.send("conversation.item.create", item=item)
        await caller.send("response.create")
        await caller.until("response.done")
        assert agent.turns[0].messages[0].text == "Where is my order?"


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
        await caller.update(output_modalities=["audio"])
        assert "pip install" in (await caller.until("error", 2))["error"]["message"]
        await caller.write("hello")
        await caller.send("response.create")
        assert (await caller.until("response.done"))["response"]["status"] == "completed"


async def test_voice_and_speed_are_the_sessions() -> None:
    async with calling() as caller:
        await caller.update(audio={"output": {"voice": "drone", "speed": 0.5}})
        await caller.write("hello")
        await caller.send("response.create")
        await caller.until("response.done")
        said = [piece async for piece in HummingSpeaker().speak("You can return a tent.", voice="drone", speed=0.5)]
        assert caller.pcm().startswith(said[0])
        assert len(base64.b64decode(caller.of("response.output_audio.delta")[0]["delta"])) <= 12_000
