"""What a sentence is about: the asset, the area, and who inspects what where."""

from __future__ import annotations

import re

_TYPES = (
    "pump|valve|boiler|panel|meter|gauge|pipe|tank|compressor|filter|motor|door|extinguisher|roof|wall|window|ladder|"
    "cable|breaker|radiator|fan|hose|bearing|belt|sensor|gasket|seal|flange|coupling|pipework|switch|socket|fuse|lamp|"
    "light|ceiling|gutter|drain|railing|handrail|stair|step|lift|elevator|generator|battery|chiller|burner|heater|duct|"
    "vent|hatch|gate|fence|bracket|bolt|guard|casing|housing|joint|manifold|thermostat|alarm panel|sprinkler|hydrant|"
    "conveyor|hoist|crane|forklift|transformer|inverter|cabinet"
)
_DESCRIBED = (
    "main|inlet|outlet|pressure|relief|safety|feed|water|fuel|oil|gas|air|control|circuit|fire|exit|emergency|drive|"
    "cooling|heating|supply|return|drain|left|right|upper|lower|front|rear|north|south|east|west|stop|check|shaft|"
    "electrical|distribution|expansion|storage|circulation|temperature|flow"
)
_NUMBERS = "one|two|three|four|five|six|seven|eight|nine|ten"
_ASSET = re.compile(
    rf"\b(?:(?:{_DESCRIBED})\s+){{0,2}}(?:{_TYPES})(?:s\b|\b)"
    rf"(?:\s+(?:number\s+|no\.?\s*)?(?:[A-Z]{{1,4}}-?\d[\w-]*|\d{{1,4}}\b|(?:{_NUMBERS})\b)"
    rf"(?!\s*(?:[.,]\d|bar|psi|°|degrees|volts?|amps?|percent|%|point)))?",
    re.IGNORECASE,
)
_TAG = re.compile(r"\b[A-Z]{1,4}-\d{2,6}[A-Z]?\b")
_PLACES = (
    "room|hall|basement|roof|corridor|kitchen|plant|cellar|yard|stairwell|floor|bay|warehouse|office|entrance|lobby|"
    "garage|workshop|attic|courtyard|car park|loading dock|platform|tunnel|shaft"
)
_AREA = re.compile(
    rf"\b(?:in|on|at|near|inside|outside|by) (?:the )?((?:[\w-]+ ){{0,2}}?(?:{_PLACES})"
    rf"(?: (?:\d+\w?|[A-Z]\b|{_NUMBERS}))?)"
    rf"(?=\W|$)|\b((?:room|floor|bay|level|zone|hall|block) (?:\d+\w?|[A-Z]\b|{_NUMBERS}))\b",
    re.IGNORECASE,
)
# What stands further away, in characters, is not what a word is about: speech may have no full stop for minutes.
_AROUND = 300
_NAME = r"[A-Z][\w’'-]*(?: [A-Z][\w’'-]*){0,3}"
_SITE = re.compile(r"\b(?i:site|object|building)(?: (?i:is|name is)|:) (?:(?i:the) )?([^.,;!?\n]{2,80})")
_INSPECTOR = re.compile(rf"\b(?:(?i:inspector)(?: (?i:is|was)|:)|(?i:inspected by)|(?i:my name is)) ({_NAME})")
_DATE = re.compile(
    r"\b(\d{4}-\d{2}-\d{2}|\d{1,2}(?:st|nd|rd|th)?(?: of)? (?:January|February|March|April|May|June|July|August|"
    r"September|October|November|December)(?:,? \d{4})?)\b",
    re.IGNORECASE,
)


def asset(text: str, near: int = 0) -> str | None:
    """What the text names nearest to the character `near`: by its tag if it has one, else by what it is called."""
    begin = text.rfind(" ", 0, max(0, near - _AROUND)) + 1
    text, near = text[begin : near + _AROUND], near - begin
    found = [*_TAG.finditer(text)] or [*_ASSET.finditer(text)]
    nearest = min(found, key=lambda each: max(each.start() - near, near - each.end()), default=None)
    return nearest.group().strip() if nearest else None


def area(text: str) -> str | None:
    """The first place that the text names."""
    found = _AREA.search(text)
    return (found[1] or found[2]).strip() if found else None


def site(text: str) -> str | None:
    """The site, where the text says which it is."""
    found = _SITE.search(text)
    return found[1].strip() if found else None


def inspector(text: str) -> str | None:
    """The inspector's name, where the text says it."""
    found = _INSPECTOR.search(text)
    return found[1].strip() if found else None


def date(text: str) -> str | None:
    """A date, as it was said."""
    found = _DATE.search(text)
    return found[1] if found else None
