"""The Adult census table as a federation declares it: `adult.csv[.gz]` of the UCI repository, one row a person.

Ranges and categories are those of the data set's own description, `adult.names`, so that nothing is learned from rows
before the budget counts. Sex, race and country of birth are left out, and the sampling weight, which is nothing about
a person.
"""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

from core.errors import InvalidInput
from tabular.federated.task import Category, Label, Number, Task

EDUCATION = (
    "Bachelors Some-college 11th HS-grad Prof-school Assoc-acdm Assoc-voc 9th 7th-8th 12th Masters 1st-4th 10th "
    "Doctorate 5th-6th Preschool"
)
MARITAL = "Married-civ-spouse Divorced Never-married Separated Widowed Married-spouse-absent Married-AF-spouse"
OCCUPATION = (
    "Tech-support Craft-repair Other-service Sales Exec-managerial Prof-specialty Handlers-cleaners Machine-op-inspct "
    "Adm-clerical Farming-fishing Transport-moving Priv-house-serv Protective-serv Armed-Forces"
)
RELATIONSHIP = "Wife Own-child Husband Not-in-family Other-relative Unmarried"
WORKCLASS = "Private Self-emp-not-inc Self-emp-inc Federal-gov Local-gov State-gov Without-pay Never-worked"

TASK = Task(
    numbers=(
        Number(column="age", low=17, high=90),
        Number(column="education-num", low=1, high=16),
        Number(column="capital-gain", low=0, high=99_999, log=True),
        Number(column="capital-loss", low=0, high=4_356, log=True),
        Number(column="hours-per-week", low=1, high=99),
    ),
    categories=(
        Category(column="workclass", values=tuple(WORKCLASS.split())),
        Category(column="education", values=tuple(EDUCATION.split())),
        Category(column="marital-status", values=tuple(MARITAL.split())),
        Category(column="occupation", values=tuple(OCCUPATION.split())),
        Category(column="relationship", values=tuple(RELATIONSHIP.split())),
    ),
    label=Label(column="income-per-year", value=">50K"),
)


def read_adult(data: Path) -> list[dict[str, str]]:
    """The people of `adult.csv` or `adult.csv.gz`, or of the folder it lies in. Raises `InvalidInput`."""
    found = [data] if data.is_file() else [each for each in sorted(data.glob("adult.csv*")) if each.is_file()]
    if len(found) != 1:
        raise InvalidInput(f"{data} holds {len(found)} files adult.csv, and one is read", param="data")
    opened = gzip.open if found[0].suffix == ".gz" else open
    try:
        with opened(found[0], "rt", encoding="utf-8", newline="") as lines:
            rows = [{name: (cell or "").strip() for name, cell in row.items()} for row in csv.DictReader(lines)]
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as problem:
        raise InvalidInput(f"{found[0]} cannot be read: {problem}", param="data") from problem
    if not rows:
        raise InvalidInput(f"{found[0]} has no rows", param="data")
    return rows
