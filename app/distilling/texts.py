"""The texts that the student learns from: the labelled ones, what varies them, and what patterns write."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.progress import Progress
from tokenizers import Tokenizer

from agents.examples import Example
from app.teaching import embedded
from finetune.student.patterns import Patterns
from finetune.student.varying import Varying, neighbours, words_of

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from agents.classifier import Floats

PATTERNS = Path(__file__).parent.parent / "demo" / "requests.toml"
"""What customers and buyers of the demo company may write."""

NEAR = 0.85
"""From this cosine on a made text is too like a held-out one to be learned from: what holds for the examples."""

_WORDS = 9_000
_WORD = re.compile(r"[a-z]{2,}")


@dataclass(frozen=True, slots=True)
class Made:
    """How many texts are made of each labelled text and of each pattern."""

    close: int = 12
    far: int = 4
    joined: int = 2
    drawn: int = 80


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts with the teacher's embeddings (n, d); the labelled ones first.

    `origins` has the places of the labelled texts that each was made of, none for what a pattern wrote.
    """

    texts: Sequence[str]
    vectors: Floats
    origins: Sequence[tuple[int, ...]]

    def without(self, held: set[int]) -> Texts:
        """Those that nothing of the labelled texts at the places `held` went into."""
        kept = [place for place, origins in enumerate(self.origins) if held.isdisjoint(origins)]
        return Texts([self.texts[place] for place in kept], self.vectors[kept], [self.origins[place] for place in kept])


def known_words(model: Path) -> list[str]:
    """The commonest words that the embedding model in the folder `model` has a piece of its own for."""
    vocabulary = Tokenizer.from_file(str(model / "tokenizer.json")).get_vocab()
    # BERT's pieces are numbered by how often they came.
    return [word for word, _ in sorted(vocabulary.items(), key=lambda entry: entry[1]) if _WORD.fullmatch(word)][
        :_WORDS
    ]


def make_texts(
    examples: Sequence[Example],
    words: Sequence[str],
    embeddings: Embeddings,
    progress: Progress,
    *,
    made: Made = Made(),
    patterns: Patterns | None = None,
    more: Sequence[str] = (),
    held_out: Sequence[str] = (),
    seed: int = 0,
) -> Texts:
    """The examples' texts, the texts made of them, and those of the patterns, and `more`, embedded.

    `words` are any words: their embeddings say which are alike. What was made too like one of `held_out` is left out.
    """
    labelled = [each.text for each in examples]
    own = words_of(labelled)
    known = sorted({*words, *own})
    varying = Varying(neighbours(known, embedded(embeddings, known, progress), own), known, seed=seed)
    labels = set(labelled)
    rows: dict[str, tuple[int, ...]] = {text: (place,) for place, text in enumerate(labelled)}
    for text, origins in _made_of(examples, varying, made, seed):
        rows.setdefault(text, origins)
    if patterns is not None:
        for text in patterns.write(made.drawn, seed=seed):
            rows.setdefault(text, ())
            rows.setdefault(varying.close(text), ())
    for text in more:
        rows.setdefault(text, ())
    rows.pop("", None)
    # Texts of one length share a batch, so that neighbours should have one.
    texts = [*labelled, *sorted((text for text in rows if text not in labels), key=lambda text: (len(text), text))]
    found = Texts(texts, embedded(embeddings, texts, progress), [rows[text] for text in texts])
    return _apart(found, embedded(embeddings, held_out, progress), len(labelled)) if held_out else found


def _apart(texts: Texts, held_out: Floats, labelled: int) -> Texts:
    """The texts without those too like the held-out ones; that the labelled are not is held by a test elsewhere."""
    apart = (texts.vectors @ held_out.T).max(axis=1) < NEAR
    apart[:labelled] = True
    kept = np.flatnonzero(apart).tolist()
    return Texts([texts.texts[place] for place in kept], texts.vectors[kept], [texts.origins[place] for place in kept])


def _wish(example: Example) -> str | None:
    return example.labels.get("action", example.labels.get("route"))


def _made_of(
    examples: Sequence[Example], varying: Varying, made: Made, seed: int
) -> Sequence[tuple[str, tuple[int, ...]]]:
    drawing = random.Random(seed)  # noqa: S311  (no secret: texts to learn from)
    # Beginnings and ends of texts that want the same go together.
    peers: dict[str | None, list[int]] = {}
    for place, each in enumerate(examples):
        peers.setdefault(_wish(each), []).append(place)
    rows: list[tuple[str, tuple[int, ...]]] = []
    for place, each in enumerate(examples):
        rows += [(varying.close(each.text), (place,)) for _ in range(made.close)]
        rows += [(varying.far(each.text), (place,)) for _ in range(made.far)]
        for _ in range(made.joined):
            other = drawing.choice(peers[_wish(each)])
            joined = varying.joined(each.text, examples[other].text)
            rows.append((varying.close(joined) if drawing.random() < 0.5 else joined, (place, other)))
    return rows
