"""Made-up tables for the tasks of `tabular/tasks/`: subscribers who leave, applicants some of whom are wronged.

Nobody in them exists. Equal counts and seeds give equal rows.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

Row = dict[str, str]
Floats = npt.NDArray[np.float64]
_ADDED = ("OnlineSecurity", "OnlineBackup", "DeviceProtection", "TechSupport", "StreamingTV", "StreamingMovies")
_WORK = (("Sales", 0.2), ("Craft-repair", -0.1), ("Exec-managerial", 0.9), ("Other-service", -0.9), ("?", -0.3))
_RACES = (("White", 0.6), ("Black", 0.25), ("Asian-Pac-Islander", 0.15))
_LEVELS = {9: 0.45, 10: 0.25, 13: 0.22, 14: 0.08}


def subscribers(count: int = 2500, seed: int = 0) -> list[Row]:
    """Customers of a telephone company in the columns of the task `churn`."""
    random = np.random.default_rng(seed)
    tenure = np.minimum(random.exponential(28, count).astype(int), 72)
    internet = random.choice(["DSL", "Fiber optic", "No"], count, p=[0.4, 0.4, 0.2])
    contract = random.choice(["Month-to-month", "One year", "Two year"], count, p=[0.55, 0.25, 0.2])
    payment = random.choice(
        ["Electronic check", "Mailed check", "Bank transfer (automatic)", "Credit card (automatic)"], count
    )
    senior = random.random(count) < 0.3
    added = {name: _added(internet, random.random(count) < 0.4) for name in _ADDED}
    monthly = 20 + 25.0 * (internet != "No") + 20.0 * (internet == "Fiber optic") + random.normal(0, 4, count)
    monthly += sum(6.0 * (values == "Yes") for values in added.values())
    odds = -0.6 - 0.045 * tenure + 1.1 * (contract == "Month-to-month") + 0.9 * (internet == "Fiber optic")
    odds += 0.5 * (payment == "Electronic check") - 0.6 * (added["TechSupport"] == "Yes") + 0.2 * senior
    leaves = random.random(count) < _share(odds + 0.01 * (monthly - 60))
    lines = np.where(random.random(count) < 0.4, "Yes", "No")
    columns: dict[str, Sequence[str]] = {
        "gender": random.choice(["Female", "Male"], count).tolist(),
        "SeniorCitizen": [str(int(each)) for each in senior],
        "Partner": _flags(random.random(count) < 0.5),
        "Dependents": _flags(random.random(count) < 0.3),
        "tenure": [str(each) for each in tenure],
        "PhoneService": ["Yes"] * count,
        "MultipleLines": lines.tolist(),
        "InternetService": internet.tolist(),
        **{name: values.tolist() for name, values in added.items()},
        "Contract": contract.tolist(),
        "PaperlessBilling": _flags(random.random(count) < 0.6),
        "PaymentMethod": payment.tolist(),
        "MonthlyCharges": [f"{each:.2f}" for each in monthly],
        # Who has just come has paid nothing yet.
        "TotalCharges": [
            f"{months * each:.2f}" if months else "" for months, each in zip(tenure, monthly, strict=True)
        ],
        "Churn": _flags(leaves),
    }
    return _rows(columns)


def applicants(count: int = 6000, seed: int = 0) -> list[Row]:
    """Applicants in the columns of the task `income`; women were passed over, and live in other households."""
    random = np.random.default_rng(seed)
    female = random.random(count) < 0.45
    age = np.clip(random.normal(41, 13, count), 17, 90).astype(int)
    education = random.choice(list(_LEVELS), count, p=list(_LEVELS.values()))
    work = random.choice(len(_WORK), count)
    married = random.random(count) < 0.55
    hours = np.clip(random.normal(41, 8, count), 5, 90).astype(int)
    gain = np.where(random.random(count) < 0.08, random.integers(1_000, 20_000, count), 0)
    weights = np.array([weight for _, weight in _WORK])
    odds = -0.6 + 0.35 * (education - 10) + weights[work] + 0.03 * (age - 40) + 0.04 * (hours - 40)
    odds += 0.5 * married + 0.0002 * gain - 1.8 * female
    alone = np.where(random.random(count) < 0.5, "Not-in-family", "Unmarried")
    columns: dict[str, Sequence[str]] = {
        "age": [str(each) for each in age],
        "workclass": random.choice(["Private", "Local-gov", "?"], count, p=[0.75, 0.2, 0.05]).tolist(),
        "education-num": [str(each) for each in education],
        "marital-status": np.where(married, "Married-civ-spouse", "Never-married").tolist(),
        "occupation": [_WORK[each][0] for each in work],
        "relationship": np.where(married, np.where(female, "Wife", "Husband"), alone).tolist(),
        "race": random.choice([name for name, _ in _RACES], count, p=[share for _, share in _RACES]).tolist(),
        "sex": np.where(female, "Female", "Male").tolist(),
        "capital-gain": [str(each) for each in gain],
        "capital-loss": ["0"] * count,
        "hours-per-week": [str(each) for each in hours],
        "native-country": random.choice(["United-States", "Mexico", "?"], count, p=[0.9, 0.07, 0.03]).tolist(),
        "income-per-year": np.where(random.random(count) < _share(odds), ">50K", "<=50K").tolist(),
    }
    return _rows(columns)


def write_table(rows: Sequence[Row], path: Path) -> Path:
    """Write rows as a CSV file; returns where."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.DictWriter(file, list(rows[0]))
        lines.writeheader()
        lines.writerows(rows)
    return path


def _added(internet: npt.NDArray[np.str_], has: npt.NDArray[np.bool_]) -> npt.NDArray[np.str_]:
    return np.where(internet == "No", "No internet service", np.where(has, "Yes", "No"))


def _flags(values: npt.NDArray[np.bool_]) -> list[str]:
    return ["Yes" if each else "No" for each in values]


def _share(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-odds)))


def _rows(columns: Mapping[str, Sequence[str]]) -> list[Row]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
