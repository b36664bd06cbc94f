from app.demo.labelled import halves, labelled_tickets


def test_the_halves_are_all_and_share_no_matter() -> None:
    learned, held = halves()
    assert sorted(each.place for each in [*learned, *held]) == [each.place for each in labelled_tickets()]
    matters = [{each.repeats if each.repeats is not None else each.place for each in half} for half in (learned, held)]
    assert not matters[0] & matters[1]
    assert {each.category for each in learned} == {each.category for each in held}


def test_no_gap_is_left_in_a_text() -> None:
    assert not [each.text for each in labelled_tickets() if "{" in each.text]
