from typing import Any

from agents.examples import Example
from agents.lessons import BetterAnswer, Contradiction, Lessons, NextStep, lessons


def said(correction: dict[str, Any] | None, *, text: str = "Where is it?", role: str = "staff", at: int = 1) -> Any:
    """Feedback as the API gives it."""
    kind = "rating" if correction is None else next(iter(correction))
    return {
        "id": f"fbk_{at}",
        "about": {"kind": "turn", "id": "t"},
        "kind": kind,
        "rating": "down",
        "correction": correction,
        "role": role,
        "snapshot": {"text": text, "answer": "I do not know."},
        "updated_at": f"2026-01-01T00:00:{at:02}Z",
    }


def learned(*feedback: Any) -> Lessons:
    return lessons(feedback, lambda text: text == "held out")


def test_staff_s_labels_are_examples_and_a_thumb_is_none() -> None:
    found = learned(said({"route": "support"}), said({"action": "lookup_order"}, at=2), said(None, at=3))
    assert found.examples == [Example("Where is it?", {"route": "support", "action": "lookup_order"})]
    assert found.no_correction == 1


def test_a_client_s_word_is_no_label() -> None:
    assert learned(said({"answer": "Yes."}, role="client")) == Lessons(examples=[], no_correction=1)


def test_a_route_that_leaves_no_doubt_says_the_action_too() -> None:
    assert learned(said({"route": "oos"})).examples == [Example("Where is it?", {"route": "oos", "action": "oos"})]


def test_of_contradicting_labels_the_higher_role_s_counts_then_the_latest() -> None:
    found = learned(
        said({"route": "person"}, role="admin", at=1),
        said({"route": "support"}, at=3),
        said({"route": "procurement"}, at=2),
        said({"route": "support"}, text="Else", at=4),
    )
    assert [each.labels["route"] for each in found.examples] == ["person", "support"]
    assert found.contradictions == (Contradiction("Where is it?", "route", ("procurement", "support", "person")),)


def test_the_same_label_twice_is_no_contradiction() -> None:
    found = learned(said({"route": "support"}), said({"route": "support"}, role="engineer", at=2))
    assert (found.contradictions, len(found.examples)) == ((), 1)


def test_what_evaluation_holds_out_is_not_learned() -> None:
    found = learned(said({"route": "support"}, text=" held out"), said({"answer": "Yes."}, text="held out", at=2))
    assert (found.examples, found.answers, found.held_out) == ([], (), 2)


def test_a_yes_is_nothing_without_its_thread() -> None:
    found = learned(
        said({"action": "cancel_order"}, text="Yes, please!"),
        said({"action": "cancel_order"}, text="No, I want the order from last Friday cancelled", at=2),
        said({"answer": "You're welcome."}, text="ok great", at=3),
    )
    assert [each.text for each in found.examples] == ["No, I want the order from last Friday cancelled"]
    assert (found.needs_thread, len(found.answers)) == (1, 1)


def test_better_answers_have_what_was_said_instead() -> None:
    found = learned(
        said({"answer": "Tomorrow."}),
        said({"reply": "We sent it.", "suggested": "we sent  it."}, at=2),
        said({"reply": "It is lost.", "suggested": None}, text="A ticket", at=3),
    )
    assert found.answers == (
        BetterAnswer("answer", "Where is it?", "Tomorrow.", "I do not know."),
        BetterAnswer("reply", "Where is it?", "We sent it.", None),
        BetterAnswer("reply", "A ticket", "It is lost.", None),
    )


def test_next_actions_are_told_apart_from_none() -> None:
    call = {"tool": "update_ticket", "arguments": {"note": "call 0851234567", "tags": ["a@b.org"]}}
    found = learned(said({"next_action": None}), said({"next_action": call}, text="Other", at=2))
    masked = {"tool": "update_ticket", "arguments": {"note": "call [phone]", "tags": ["[email]"]}}
    assert found.steps == (NextStep("Where is it?", None), NextStep("Other", masked))


def test_what_leaves_is_masked() -> None:
    found = learned(
        said({"route": "support"}, text="I am ann@example.org"),
        said({"answer": "Write to bob@example.org."}, text="I am ann@example.org", at=2),
    )
    assert found.examples == [Example("I am [email]", {"route": "support"})]
    assert found.answers == (BetterAnswer("answer", "I am [email]", "Write to [email].", "I do not know."),)
