"""Slots with known values, read from what somebody said: at most one value a slot, and none where none was said.

A recogniser mishears a word for one that sounds like it. So values are compared with what was said by sound: spelling
is turned into rough English sounds, and an edit costs little between sounds that are near. Numbers are words first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

# The least likeness, in [0, 1], that a value has with what stands for it: of three sounds one may be another.
THRESHOLD = 0.7
# A value of less sound than two consonants is like too much: it has to be said as it is written.
_SHORT = 2.0
# More words than this were never one phrase.
_MOST_WORDS = 12

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()

# Spelling into sounds, the first that fits; D is a last t or d, often not heard, Z an ending like a
# plural's, and the other capitals are sounds of two letters.
_SOUNDS = (
    (r"tch|ch|tj", "C"),
    (r"sh|ti(?=on)|ci(?=a|o)|ssi(?=on)", "S"),
    (r"th", "T"),
    (r"ph|gh$", "f"),
    (r"gh", ""),
    (r"dge?|j|g(?=[eiy])", "J"),
    (r"ck|qu?|c(?=[^eiy]|$)", "k"),
    (r"c", "s"),
    (r"x", "ks"),
    (r"^kn|^gn", "n"),
    (r"^wr", "r"),
    (r"wh", "w"),
    (r"mb$", "m"),
    (r"z", "s"),
    (r"(?<=[^td])ed$", "D"),
    (r"[td](?=e?s?$)", "D"),
    (r"(?<=[^s])s$", "Z"),
    (r"e$|e(?=s$)", ""),
    (r"[aeiouy]+w?", "a"),
)
_SOUND = re.compile("|".join(f"(?P<s{number}>{spelling})" for number, (spelling, _) in enumerate(_SOUNDS)))
_NEAR = tuple(frozenset(group) for group in ("pb", "tdTD", "kg", "fv", "sSZ", "SCJ", "mn", "lrw", "Tsf", "ks", "kC"))
_NEAR_COST = 0.5
# What a sound weighs, if not 1: vowels change with the accent, and some consonants are hardly heard.
_WEIGHTS = {"a": 0.4, "D": 0.5, "Z": 0.5, "r": 0.5, "w": 0.5, "h": 0.5}
# So much more counts what does not fit than what does: "with milk" is rather "milk" than "whole milk".
_MISFIT = 3.0


@dataclass(frozen=True, slots=True)
class Filling:
    """A value that was heard for a slot: how like it is, in [0, 1], and which words of the transcript stand for it."""

    slot: str
    value: str
    likeness: float
    start: int
    end: int


def fill(text: str, vocabulary: Mapping[str, Sequence[str]], threshold: float = THRESHOLD) -> dict[str, Filling]:
    """The slots that the text fills. `vocabulary` maps each slot to the values that it may have.

    Longer values win over shorter ones that they contain, likelier ones over others, and no word stands for two
    values. Two values of a slot that are equally like the same words fill nothing.
    """
    said = spelled(text)
    found = [
        candidate
        for slot, values in vocabulary.items()
        for value in values
        for candidate in _candidates(slot, value, said, threshold)
    ]
    # What explains more of what was said comes first.
    found.sort(key=lambda each: (-_weight(each), each.slot, each.start, each.value))
    filled: dict[str, Filling] = {}
    taken: set[int] = set()
    for each in found:
        words = set(range(each.start, each.end))
        if each.slot in filled or words & taken:
            continue
        taken |= words
        if not _tied(each, found):
            filled[each.slot] = each
    return filled


def spelled(text: str) -> list[str]:
    """The words of the text, in lower case, with numbers up to 999 in words."""
    words: list[str] = []
    for token in re.findall(r"\d+|[^\W\d_]+(?:['’][^\W\d_]+)?", text.casefold()):
        words += _number(int(token)) if token.isdigit() and len(token) <= 3 else [token.replace("’", "'")]
    return words


@lru_cache(maxsize=4096)
def sounds(word: str) -> str:
    """The word as rough sounds: `a` for any vowel, one letter for each consonant."""
    plain = re.sub(r"(.)\1", r"\1", word.replace("'", ""))
    heard = _SOUND.sub(lambda match: _SOUNDS[int(str(match.lastgroup)[1:])][1], plain)
    # A word of one silent letter still sounds.
    return re.sub(r"(.)\1+", r"\1", heard) or plain


def likeness(one: str, other: str) -> float:
    """How alike two strings of sounds are: 1 when they are equal, 0 when nothing of `one` is in `other`."""
    whole = max(_cost(one), _cost(other))
    return max(0.0, 1 - _distance(one, other) / whole) if whole else 0.0


def _candidates(slot: str, value: str, said: Sequence[str], threshold: float) -> Iterator[Filling]:
    wanted = spelled(value)
    if not wanted:
        return
    sound = "".join(map(sounds, wanted))
    number = min(len(wanted), _MOST_WORDS)
    for width in range(max(1, number - 1), number + 2):
        for start in range(len(said) - width + 1):
            window = said[start : start + width]
            short = _cost(sound) < _SHORT
            like = float(window == wanted) if short else likeness(sound, "".join(map(sounds, window)))
            if like >= threshold:
                yield Filling(slot, value, like, start, start + width)


def _weight(each: Filling) -> float:
    return _cost("".join(map(sounds, spelled(each.value)))) * (1 - _MISFIT * (1 - each.likeness))


def _tied(each: Filling, found: Sequence[Filling]) -> bool:
    """Whether another value of the slot is as like the same words, and is not the same said otherwise."""
    return any(
        other.slot == each.slot
        and (other.start, other.end) == (each.start, each.end)
        and other.likeness == each.likeness
        and spelled(other.value) != spelled(each.value)
        for other in found
    )


def _number(value: int) -> list[str]:
    if value < len(_ONES):
        return [_ONES[value]]
    if value < 100:
        tens, rest = divmod(value, 10)
        return [_TENS[tens - 2], *([_ONES[rest]] if rest else [])]
    hundreds, rest = divmod(value, 100)
    return [_ONES[hundreds], "hundred", *(_number(rest) if rest else [])]


def _cost(sound: str) -> float:
    return sum(_WEIGHTS.get(each, 1.0) for each in sound)


def _swap(one: str, other: str) -> float:
    if one == other:
        return 0.0
    near = any(one in group and other in group for group in _NEAR)
    return _NEAR_COST if near else max(_cost(one), _cost(other))


@lru_cache(maxsize=16384)
def _distance(one: str, other: str) -> float:
    """Levenshtein's distance, where an edit costs what its sounds weigh."""
    row = [0.0]
    for sound in other:
        row.append(row[-1] + _cost(sound))
    for left in one:
        above, row = row, [row[0] + _cost(left)]
        for place, right in enumerate(other):
            row.append(
                min(above[place] + _swap(left, right), above[place + 1] + _cost(left), row[place] + _cost(right))
            )
    return row[-1]
