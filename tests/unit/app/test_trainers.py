from pathlib import Path

import pytest

from app.commands.training import TRAINERS, Options, Trainer, find_trainer
from core.errors import InvalidInput, MissingExtra

FILE = Path("table.csv")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("segments", Options()),
        ("fraud", Options()),
        ("anomalies", Options(data=FILE)),
        ("anomalies", Options(data=FILE, expected=0.0)),
        ("churn", Options(data=FILE, report=Path("r.html"), even=True)),
    ],
)
def test_a_training_takes_its_own_options(name: str, options: Options) -> None:
    find_trainer(name).check(name, options)


@pytest.mark.parametrize(
    ("name", "options", "param", "said"),
    [
        ("segments", Options(data=FILE), "data", "segments is learned from the workspace: --data is not for it"),
        ("segments", Options(expected=0.1), "expected", "learned from the workspace: --expected is not for it"),
        ("recommend", Options(even=True), "even", "learned from the workspace: --even is not for it"),
        ("anomalies", Options(), "data", "anomalies is learned from a file: name it with --data"),
        ("anomalies", Options(data=FILE, report=FILE), "report", "learned from a file: --report is not for it"),
        ("anomalies", Options(data=FILE, even=True), "even", "--even is not for it"),
        ("churn", Options(data=FILE, expected=0.1), "expected", "--expected is not for it"),
        ("churn", Options(report=FILE), "data", "name it with --data"),
    ],
)
def test_other_options_are_refused_by_name(name: str, options: Options, param: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        find_trainer(name).check(name, options)
    assert refused.value.param == param
    assert said in refused.value.message


def test_a_package_that_is_missing_is_told() -> None:
    with pytest.raises(MissingExtra, match="no-such-package"):
        Trainer({"no_such_package": "no-such-package"}, TRAINERS["fraud"].make).check("x", Options())


def test_an_unknown_model_is_told_with_those_there_are() -> None:
    with pytest.raises(InvalidInput, match="there are fraud, recommend, demand, segments, churn, income, anomalies"):
        find_trainer("weather")
