import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.canonical import JSON, canonical
from core.errors import InvalidInput

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SAFE = 2**53 - 1  # beyond it a whole float reads back as an integer that is refused
NUMBERS = st.integers(-SAFE, SAFE) | st.floats(-SAFE, SAFE)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=12)


def test_one_spelling_as_the_standard_has_it() -> None:
    # Keys sort by UTF-16 code units, which puts an emoji before U+FB33.
    value: JSON = {"\ufb33": 1, "\U0001f600": 2, "a": [1.0, 1e21, -0.0, "\x0f\u20ac"], "B": {"n": None}}
    assert canonical(value) == '{"B":{"n":null},"a":[1,1e+21,0,"\\u000f\u20ac"],"\U0001f600":2,"\ufb33":1}'


@given(VALUES)
def test_it_reads_back_as_it_was_and_is_its_own_canonical_form(value: Any) -> None:
    text = canonical(value)
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53 + 1, "\ud800", Decimal("1.00"), {1: 2}, b"x"])
def test_what_programs_would_read_differently_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput):
        canonical([value])
