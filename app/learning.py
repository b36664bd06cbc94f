"""Learns from feedback, and measures what that changes before it takes the place of what is there.

The heads are trained twice, without the corrections and with them, and compared by cross-validation on the examples
that nobody corrected: what is learned anew must not cost what was known. Weights lie in the workspace
(`routing/<head>.npz`); those of the repository are never written over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from langchain_core.embeddings import Embeddings
from rich.console import Console

from agents.classifier import OUT_OF_SCOPE, Classifier
from agents.examples import LABELS, Example, merged, of_head
from agents.lessons import same_text
from app.demo.labelled import held_out_ticket
from app.teaching import train_heads

if TYPE_CHECKING:
    from agents.training import Change, Trained

HELD_OUT = Path(__file__).parent.parent / "evals" / "data"
"""The evaluation's own files: nothing that stands there is learned from."""


@dataclass(frozen=True, slots=True)
class Taught:
    """A head with its corrections, and what they changed.

    `known` compares the examples that were not corrected, `corrected` is the share of the `corrections` decided
    rightly, before and after: each text while it was held out. None where there is nothing to compare.
    """

    trained: Trained
    corrections: int
    known: Change | None
    corrected: tuple[float, float] | None

    @property
    def worse(self) -> bool:
        """Whether what was known got worse by more than chance."""
        return self.known is not None and self.known.worse


def held_out() -> Callable[[str], bool]:
    """Make what tells whether a text is one that evaluation measures with."""
    texts = {same_text(text) for path in sorted(HELD_OUT.rglob("*.jsonl")) for text in _strings_of(path)}
    is_ticket = held_out_ticket()
    return lambda text: same_text(text) in texts or is_ticket(text)


def teach(
    known: Sequence[Example],
    corrections: Sequence[Example],
    embeddings: Embeddings,
    console: Console | None = None,
    *,
    every_head: bool = False,
) -> dict[str, Taught]:
    """Train the heads that the corrections speak of, with them and without; or `every_head` that is spoken of at all.

    Raises as `app.teaching.train_heads`.
    """
    base, corrections = merged(known), merged(corrections)
    corrected = [head for head in LABELS if any(head in each.labels for each in corrections)]
    together = merged([*base, *corrections])
    before = train_heads(base, embeddings, console, corrected)
    after = train_heads(together, embeddings, console, LABELS if every_head else corrected)
    return {
        head: _compared(head, base, together, corrections, before.get(head), trained, embeddings)
        for head, trained in after.items()
    }


def keep(taught: dict[str, Taught], folder: Path) -> None:
    """Put the weights that are no worse in their place, whole; a head that nobody corrects is the repository's again.

    Where the new ones are worse, those that are there stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for head in LABELS:
        path = folder / f"{head}.npz"
        if head not in taught:
            path.unlink(missing_ok=True)
        elif not taught[head].worse:
            written = path.with_suffix(".new")
            taught[head].trained.weights.save(written)
            written.replace(path)


def _compared(
    head: str,
    base: Sequence[Example],
    together: Sequence[Example],
    corrections: Sequence[Example],
    before: Trained | None,
    after: Trained,
    embeddings: Embeddings,
) -> Taught:
    from agents.training import change

    wanted = dict(zip(*of_head(corrections, head), strict=True))
    now = dict(zip(of_head(together, head)[0], after.right.tolist(), strict=True))
    if before is None:
        return Taught(after, len(wanted), None, None)
    then = dict(zip(of_head(base, head)[0], before.right.tolist(), strict=True))
    same = [text for text in then if text not in wanted]
    known = change(np.array([then[text] for text in same]), np.array([now[text] for text in same])) if same else None
    decided = _right(Classifier(before.weights), wanted, embeddings)
    return Taught(after, len(wanted), known, (decided, float(np.mean([now[text] for text in wanted]))))


def _right(classifier: Classifier, wanted: dict[str, str], embeddings: Embeddings) -> float:
    """The share of the texts that get their label."""
    vectors = embeddings.embed_documents(list(wanted))
    decisions = [classifier.decide(text, vector) for text, vector in zip(wanted, vectors, strict=True)]
    given = [decision.label if decision.in_scope else OUT_OF_SCOPE for decision in decisions]
    return float(np.mean([label == right for label, right in zip(given, wanted.values(), strict=True)]))


def _strings_of(path: Path) -> Iterator[str]:
    for line in path.read_bytes().splitlines():
        if line.strip():
            yield from _strings(orjson.loads(line))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
