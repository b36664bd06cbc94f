import pytest

from core.errors import InvalidInput, NotFound
from tabular.tasks.catalog import TASKS, find
from tabular.tasks.task import NOT_KNOWN, Category, Column, Flag, Number, Protected
from tests.unit.tabular.tasks.making import LOAN, task

WHOLE = Number("months", 0, 120, "with us for {} months", whole=True)


@pytest.mark.parametrize(
    ("column", "sound", "not_sound"),
    [
        (WHOLE, ["0", "120", "7.0", "1e1"], ["121", "-1", "7.5", "many", "nan", "inf"]),
        (Number("share", 0.5, 1, "{}"), ["0.5", "0.75"], ["0.49", "1.01", "1,0"]),
        (Category("home", "{}", ("a", "b")), ["a", "b"], ["c", "A", "a "]),
        (Category("town", "{}"), ["anything", "é" * 100], ["é" * 101]),
        (Flag("owner", "yes", "no"), ["Yes", "No"], ["yes", "1"]),
    ],
)
def test_a_column_knows_its_values(column: Column, sound: list[str], not_sound: list[str]) -> None:
    assert [each for each in [*sound, *not_sound] if column.sound(each)] == sound
    assert column.rule.startswith("is ")


def test_values_in_words() -> None:
    assert WHOLE.told("1200") == "with us for 1,200 months"
    assert Number("paid", 0, 9e9, "has paid {}").told("20.50") == "has paid 20.5"
    assert Flag("owner", "owns it", "rents it").told("No") == "rents it"


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"unused": (("income", "twice"),)}, "a column twice"),
        ({"unused": (("paid", "the target"),)}, "a column twice"),
        ({"protected": (Protected("race"),)}, "no column race"),
        ({"protected": (Protected("sex", edges=(1.0,)),)}, "grouped by edges"),
        ({"protected": (Protected("age"),)}, "grouped by edges"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(changes: dict[str, object], wrong: str) -> None:
    with pytest.raises(InvalidInput, match=wrong):
        task(**changes)


def test_the_model_does_not_meet_what_it_is_not_to_see() -> None:
    assert [each.name for each in task().features] == ["income", "home", "owner", "age"]


def test_people_are_grouped() -> None:
    sex, age = LOAN["protected"]
    assert task().groups(age) == ("under 30", "30 to under 60", "60 and over")
    assert [task().group(age, each) for each in ("29", "30", "59.5", "60", None)] == [
        "under 30",
        "30 to under 60",
        "30 to under 60",
        "60 and over",
        NOT_KNOWN,
    ]
    assert task().group(sex, "F") == "F"


def test_tasks_are_found_by_name() -> None:
    assert find("churn") is TASKS["churn"]
    with pytest.raises(NotFound, match="churn, income"):
        find("weather")
