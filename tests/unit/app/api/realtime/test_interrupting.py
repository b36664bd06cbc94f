"""Who speaks while an answer is spoken, stops it, or is gone."""

import asyncio
from typing import Any

from tests.fakes.listening import SILENCE, ScriptedAgent, calling, sound
from tests.fakes.speaker import HummingSpeaker
from tests.fakes.transcriber import FakeTranscriber

LONG = ("One two three four. ", "Five six seven eight. ", "Nine ten eleven twelve.")


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
