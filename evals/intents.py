"""Reads an evaluation folder of labelled texts: `train.csv` and `test.csv`, with the columns `text` and `category`.

A folder as CLINC150 is published has one `data_full.json` instead: lists of `[text, category]` by split.

A text is out of scope when its category is called so (`oos`, as in CLINC150, or the words written out), or when it is
in the test and no training text has it. Training texts that are out of scope may be there and may be missing.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from agents.classifier import OUT_OF_SCOPE
from agents.examples import of_head, read_examples
from app.teaching import shipped_examples
from core.errors import InvalidInput

HELD_OUT = Path(__file__).parent / "data" / "routing" / "heldout.jsonl"
_WHOLE = "data_full.json"
_NAMES = frozenset({"oos", "ood", "out_of_scope", "out of scope", "out-of-scope"})


@dataclass(frozen=True, slots=True)
class Intents:
    """Texts with their labels, out-of-scope ones as `OUT_OF_SCOPE`, in the files' order."""

    name: str
    train: Sequence[tuple[str, str]]
    test: Sequence[tuple[str, str]]


def read_intents(path: Path) -> Intents:
    """Read the folder. Raises `InvalidInput` naming the file and line that cannot be used."""
    whole = path / _WHOLE
    if whole.is_file() and not (path / "train.csv").exists():
        train, test = _published(whole)
    else:
        train, test = _rows(path / "train.csv"), _rows(path / "test.csv")
    known = {category for _, category in train}
    test = [(text, category if category in known else OUT_OF_SCOPE) for text, category in test]
    return Intents(path.name, train, test)


def read_own() -> Intents:
    """The project's own: which specialist takes a message."""
    train = zip(*of_head(shipped_examples(), "route"), strict=True)
    test = zip(*of_head(read_examples(HELD_OUT), "route"), strict=True)
    return Intents("own", list(train), list(test))


def _published(path: Path) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The training and the test rows, out-of-scope ones included, of a file as CLINC150's."""
    try:
        splits = TypeAdapter(dict[str, list[tuple[str, str]]]).validate_json(path.read_bytes())
        train, test = (
            [_labelled(*row) for row in (*splits[name], *splits.get(f"oos_{name}", ()))] for name in ("train", "test")
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidInput(f"{path}: {where}: {first['msg']}", param="data") from error
    except KeyError as missing:
        raise InvalidInput(f"{path} has no {missing}", param="data") from missing
    return train, test


def _rows(path: Path) -> list[tuple[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            rows = [_row(path, reader.line_num, row) for row in reader]
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}", param="data") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} is no CSV file: {error}", param="data") from error
    if not rows:
        raise InvalidInput(f"{path} has no texts", param="data")
    return rows


def _row(path: Path, line: int, row: dict[str, str | None]) -> tuple[str, str]:
    text, category = row.get("text"), row.get("category")
    if not text or not category:
        raise InvalidInput(f"{path}, line {line}: no text or no category", param="data")
    return _labelled(text, category)


def _labelled(text: str, category: str) -> tuple[str, str]:
    return text, OUT_OF_SCOPE if category.strip().casefold() in _NAMES else category
