"""BFCL's check of one call against its possible answers, the AST check, written from its published description.

A call is right when it names the function, has every required parameter and none that is not known, every value has
the declared type, and every value is among the possible ones. An optional parameter may be left out where "" is
among its possible values. Strings are compared without case, spaces and the punctuation `, . / - _ * ^`. An integer
will do for a float, but no float for an integer. A value of the type of the listed answers is taken too where it
differs from the declared one: the answer then is a variable's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from evals.bfcl.questions import Expected, Json, Possible

_IGNORED = re.compile(r"[ ,./\-_*^]")
_CLASSES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "float": (float, int),
    "number": (float, int),
    "boolean": (bool,),
    "array": (list,),
    "tuple": (list,),
    "dict": (dict,),
    "object": (dict,),
}


def fault(name: str, arguments: Mapping[str, Any], function: Json, expected: Expected) -> str | None:
    """What is wrong with the call, in words; None when it is right. `function` is the expected one's description."""
    if name != expected.name:
        return f"calls {name}, not {expected.name}"
    properties: Mapping[str, Json] = function["parameters"].get("properties", {})
    if missing := [each for each in function["parameters"].get("required", ()) if each not in arguments]:
        return f"lacks the required {', '.join(missing)}"
    if unknown := [each for each in arguments if each not in properties or each not in expected.arguments]:
        return f"has {', '.join(unknown)}, which nothing asked for"
    for parameter, value in arguments.items():
        possible = expected.arguments[parameter]
        if not _typed(value, properties[parameter], possible):
            return f"{parameter} is {value!r}, of another type than {properties[parameter]['type']}"
        if not any(_same(value, each) for each in possible):
            return f"{parameter} is {value!r}, which is not among {list(possible)!r}"
    if omitted := _omitted(arguments, expected.arguments):
        return f"lacks {omitted}, which the request gives"
    return None


def _typed(value: Any, declared: Json, possible: Sequence[Any]) -> bool:
    classes = _CLASSES.get(declared.get("type", "any"))
    if classes is None:
        return True
    listed = [type(each) for each in possible if each != ""]
    if type(value) not in classes:
        return bool(listed) and type(value) is listed[0]
    items = declared.get("items")
    return not (isinstance(value, list) and isinstance(items, dict)) or _items_typed(value, items, possible)


def _items_typed(value: list[Any], items: Json, possible: Sequence[Any]) -> bool:
    """Whether the items fit the declared type, or that of the items of some listed answer."""
    inner = [each for answer in possible if isinstance(answer, list) for each in answer]
    return all(_typed(each, items, inner) for each in value)


def _same(value: Any, answer: Any) -> bool:
    match value, answer:
        case str(), str():
            return _plain(value) == _plain(answer)
        case dict(), dict():
            known = all(key in answer and any(_same(each, one) for one in answer[key]) for key, each in value.items())
            return known and _omitted(value, answer) is None
        case list(), list():
            return len(value) == len(answer) and all(map(_same, value, answer))
    return bool(value == answer)


def _omitted(given: Mapping[str, Any], possible: Possible) -> str | None:
    return next((name for name, values in possible.items() if name not in given and "" not in values), None)


def _plain(text: str) -> str:
    return _IGNORED.sub("", text).lower().replace("'", '"')
