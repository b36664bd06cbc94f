"""Customers with an account: names, addresses and when they joined, put together from `people.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

PEOPLE = Path(__file__).with_name("people.toml")

COUNT = 600

FOUNDED_DAYS = 1500
"""How many days before today the first of these customers joined."""


@dataclass(frozen=True, slots=True)
class Customer:
    """A person with an account. `country` is an ISO 3166 code, `points` the active Trail Points."""

    id: str
    name: str
    email: str
    street: str
    city: str
    country: str
    joined: date
    points: int


@dataclass(frozen=True, slots=True)
class Country:
    """A country that is delivered to."""

    code: str
    name: str
    language: str
    zone: int
    share: float
    cities: tuple[str, ...]


def read_countries() -> dict[str, Country]:
    """Read the countries by code."""
    rows = _people()["countries"]
    return {row["code"]: Country(**{**row, "cities": tuple(row["cities"])}) for row in rows}


def draw_customers(random: np.random.Generator, today: date) -> tuple[Customer, ...]:
    """Draw `COUNT` customers, the earliest first; their points are zero until their orders are known."""
    countries = list(read_countries().values())
    languages = _people()["languages"]
    shares = np.array([country.share for country in countries])
    home = random.choice(len(countries), COUNT, p=shares / shares.sum())
    age = np.sort(random.integers(3, FOUNDED_DAYS, COUNT))[::-1]
    return tuple(
        _customer(random, number, countries[home[number]], languages, today - timedelta(days=int(age[number])))
        for number in range(COUNT)
    )


def _customer(
    random: np.random.Generator, number: int, country: Country, languages: Mapping[str, Any], joined: date
) -> Customer:
    words = languages[country.language]
    first, last, street = (str(words[kind][random.integers(len(words[kind]))]) for kind in ("first", "last", "streets"))
    mailbox = f"{first}.{last}{number + 1}".lower().replace(" ", "")
    return Customer(
        id=f"CUS-{number + 1:05}",
        name=f"{first} {last}",
        email=f"{mailbox}@example.com",
        street=street.format(int(random.integers(1, 120))),
        city=country.cities[random.integers(len(country.cities))],
        country=country.code,
        joined=joined,
        points=0,
    )


def _people() -> dict[str, Any]:
    return tomllib.loads(PEOPLE.read_text(encoding="utf-8"))
