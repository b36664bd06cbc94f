from evals.suites.student import Answers, Case, Said, own_cases, pooled, scorers

HEADS = ("route", "action")
IN = Case("1", "x", {"route": "support", "action": "news"})
OUT = Case("2", "y", {"route": "oos"})


def said(route: str, action: str, *, inside: bool = True) -> Said:
    return Said({"route": route, "action": action}, inside)


def scores(case: Case, student: Said, teacher: Said) -> dict[str, float]:
    found = {each.name: each.score(case, Answers(student, teacher, 0.001)) for each in scorers(HEADS)}
    return {name: score for name, score in found.items() if score is not None}


def test_both_sides_are_scored_on_the_labels_that_there_are() -> None:
    found = scores(IN, said("support", "none"), said("person", "news", inside=False))
    assert found == {
        "route_accuracy": 1, "teacher_route_accuracy": 0, "action_accuracy": 0, "teacher_action_accuracy": 1,
        "turned_away": 0, "teacher_turned_away": 1, "route_agreement": 0, "action_agreement": 0,
    }  # fmt: skip


def test_out_of_scope_texts_are_to_be_turned_away() -> None:
    found = scores(OUT, said("support", "none", inside=False), said("support", "none"))
    assert found == {
        "out_of_scope_recall": 1, "teacher_out_of_scope_recall": 0, "route_agreement": 1, "action_agreement": 1,
    }  # fmt: skip


def test_the_share_of_the_teacher_has_an_interval_around_it() -> None:
    rows = [
        (IN, Answers(said("support" if place % 4 else "person", "news"), said("support", "news"), 0.001))
        for place in range(80)
    ]
    found = {each.name: each.figure(rows) for each in pooled(HEADS, seed=0)}
    low, high = found["route_of_teacher_low"], found["route_of_teacher_high"]
    assert found["route_of_teacher"] == 0.75
    assert low is not None
    assert high is not None
    assert 0.6 < low < 0.75 < high < 0.9
    assert found["action_of_teacher_low"] == found["action_of_teacher_high"] == 1
    assert found["latency_p50_us"] == 1_000


def test_without_labels_there_is_no_share() -> None:
    rows = [(OUT, Answers(said("support", "none"), said("support", "none"), 0.001))]
    assert {each.name: each.figure(rows) for each in pooled(HEADS, seed=0)}["action_of_teacher"] is None


def test_its_own_cases_have_wishes_and_what_is_out_of_scope() -> None:
    cases = own_cases()
    assert sum("action" in case.labels for case in cases) == 144
    assert sum(not case.in_scope for case in cases) == 26
