from agents.triage import Duplicate, Judged, Triaged
from evals.suites import triage
from evals.suites.triage import Case, Judgement


def out(priority: str, *duplicates: str, sure: bool = True) -> Judgement:
    judged = Judged("delivery", 0.9, sure)
    triaged = Triaged(judged, Judged(priority, 0.9, sure), Judged("neutral", 0.9, sure))
    return Judgement(triaged, [Duplicate(each, 0.8) for each in duplicates])


def scores(case: Case, judgement: Judgement) -> dict[str, float]:
    found = {scorer.name: scorer.score(case, judgement) for scorer in triage.SCORERS}
    return {name: score for name, score in found.items() if score is not None}


def test_a_priority_may_be_near() -> None:
    case = Case("1", "x", {"priority": "urgent"})
    assert scores(case, out("high"))["priority_within_one"] == 1
    assert scores(case, out("low"))["priority_within_one"] == 0
    assert scores(case, out("high"))["priority_accuracy"] == 0


def test_what_is_not_sure_does_not_count_as_sure() -> None:
    case = Case("1", "x", {"category": "delivery"})
    assert scores(case, out("low", sure=False)) == {"category_accuracy": 1, "category_sure": 0}
    assert scores(case, out("low"))["category_accuracy_when_sure"] == 1


def test_duplicates_count_where_tickets_were_filed() -> None:
    cases = {case.id: case for case in triage._own()}
    repeated = next(case for case in cases.values() if case.repeats)
    new = next(case for case in cases.values() if case.filed and not case.repeats)
    assert scores(repeated, out("low", repeated.repeats or ""))["duplicates_found"] == 1
    assert scores(repeated, out("low"))["duplicates_found"] == 0
    assert scores(new, out("low", "7"))["false_duplicates"] == 1
    assert scores(new, out("low"))["false_duplicates"] == 0
    assert sum(case.repeats is not None for case in cases.values()) == 7


def test_a_ticket_does_not_look_ahead() -> None:
    for case in triage._own():
        if case.repeats:
            original = next(each for each in triage._own() if each.id == f"demo/{case.repeats}")
            assert case.id.removeprefix("demo/") not in [each.ticket_id for each in original.filed]
