from app.trials.sides import meets

PEOPLE = [f"harbor/customer:CUS-{number:05}" for number in range(5000)]


def met(percent: int, number: int = 2) -> set[str]:
    return {each for each in PEOPLE if meets(each, "house-adapter", number, percent)}


def test_about_as_many_as_planned_meet_it() -> None:
    for percent in (1, 10, 50):
        assert abs(len(met(percent)) / len(PEOPLE) - percent / 100) < 0.02


def test_who_meets_a_smaller_share_meets_a_larger_one() -> None:
    assert met(5) < met(10) < met(50)


def test_another_version_draws_other_people() -> None:
    both = met(10) & met(10, number=3)
    assert 0 < len(both) < len(met(10)) / 4


def test_nobody_meets_nothing() -> None:
    assert not meets(None, "house-adapter", 2, 50)
    assert met(0) == set()
