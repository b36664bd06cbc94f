import json
from dataclasses import asdict, replace

from langchain_core.messages import AIMessage, HumanMessage

from agents import attached, observed
from agents.router import UPSET, Sense
from core.media import NOTHING, Field, Heard, Mood, Observed, Seen, Tone

TENSE = Tone(Mood.TENSE, 0.82, -18.0, 240.0, 6.1, 5.4, 0.0)
VOICE = Heard("messages.0.content.1.input_audio.data", "I was charged twice", 0.94, 2.4, TENSE)
SCREEN = Seen(
    "messages.0.content.0.image_url.url",
    "attachment:1",
    "picture 1",
    "Harbor & Pine\nPayment failed E-4012\nTry again",
    0.97,
    (Field("error_code", "E-4012", 0.9, 1),),
)
ALL = Observed((VOICE,), (SCREEN,))


def test_what_is_packed_comes_back() -> None:
    assert observed.unpack(observed.pack(ALL)) == ALL
    assert json.loads(json.dumps(observed.pack(ALL))) == json.loads(json.dumps(asdict(ALL)))
    assert type(observed.pack(ALL)["heard"][0]["tone"]["mood"]) is str
    assert observed.unpack(observed.pack(Observed((replace(VOICE, tone=None),)))).heard[0].tone is None


def test_a_thread_has_it_with_the_message_that_it_came_with() -> None:
    message = HumanMessage("look", additional_kwargs={observed.FIELD: observed.pack(ALL)})
    thread = [message, AIMessage("I see."), HumanMessage("and now?")]
    assert observed.of_messages(thread) == []
    assert observed.of_messages(thread, 2) == [ALL]


def test_receiving_files_keeps_what_was_observed() -> None:
    packed = {"id": "attachment:1", "name": "picture 1", "text": "Payment failed", "passages": []}
    message = HumanMessage("look", additional_kwargs={attached.FIELD: [packed], observed.FIELD: observed.pack(ALL)})
    [bare], came = attached.received([message])
    assert came == [packed]
    assert bare.additional_kwargs[observed.FIELD] == observed.pack(ALL)
    assert bare.additional_kwargs[attached.FIELD] == [{"id": "attachment:1", "name": "picture 1"}]


def test_what_the_router_weighs() -> None:
    seen, tone = observed.observations(ALL)
    assert (seen.sense, seen.text, seen.confidence) == (Sense.OCR, SCREEN.text, 0.97)
    assert (tone.sense, tone.text, tone.confidence) == (Sense.TONE, UPSET, 0.82)
    assert observed.observations(NOTHING) == []
    unsure = Observed((replace(VOICE, tone=replace(TENSE, confidence=0.6)),))
    assert [each.confidence for each in observed.observations(unsure)] == [0.0], "it does not count"
    assert observed.observations(Observed(seen=(replace(SCREEN, text=""),))) == []


def test_reasons_quote_the_line_that_tells() -> None:
    assert observed.reasons(ALL) == [
        "picture 1 shows “Payment failed E-4012”",
        "the voice sounds tense (82%)",
    ]
    plain = replace(SCREEN, facts=(), text="a " * 200)
    assert observed.reasons(Observed(seen=(plain,)))[0].endswith("…”")
    calm = replace(VOICE, tone=replace(TENSE, mood=Mood.CALM))
    assert observed.reasons(Observed((calm,))) == []


def test_a_colleague_is_told_how_it_was_said_and_the_note_is_nobodys_words() -> None:
    assert observed.note([ALL]) == "Heard: in a voice note, which sounds tense (82%)."
    assert observed.note([NOTHING]) == ""
    assert attached.without_note(f"I was charged twice\n\n{observed.note([ALL])}") == "I was charged twice"


def test_the_surest_tone_counts() -> None:
    calm = replace(VOICE, tone=replace(TENSE, mood=Mood.CALM, confidence=0.7))
    joined = observed.joined([Observed((calm,)), ALL])
    assert joined.tone == TENSE
    assert observed.is_tense(joined)
