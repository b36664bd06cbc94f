"""Text → label, with a calibrated probability, and with a word on whether any label fits at all.

A linear head on two views of the text side by side: its sentence embedding, which knows what words mean, and its
words and pairs of words, which tell apart what the embedding blurs. `agents.training` fits it with scikit-learn; here
numpy is enough. Why this and not the others that were tried: docs/decisions/0009-routing.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.ngrams import Ngrams
from core.errors import CorruptArtefact

Floats = NDArray[np.float32]

OUT_OF_SCOPE = "oos"
"""The label of examples that no label fits. It is learned from where there are any, and never given as an answer."""

WORDS = 0.7
"""How long the vector of words is, the embedding having length one. Flat between 0.5 and 1 on CLINC150's validation."""

_FORMAT = 1
_KEYS = frozenset("format labels vocabulary idf embedding words bias scalars".split())


@dataclass(frozen=True, slots=True)
class Decision:
    """What a text was taken for.

    `probability` is that of the label being right, given that one of the labels is, in [0, 1]. `familiarity` is how
    far the text lies on the known side of the line: below 0 it is `out of scope` (`in_scope` is False), and the label
    is no more than the nearest one.
    """

    label: str
    probability: float
    familiarity: float
    probabilities: dict[str, float]

    @property
    def in_scope(self) -> bool:
        """Whether any of the labels fits."""
        return self.familiarity >= 0


@dataclass(frozen=True, slots=True)
class Weights:
    """A trained head. K columns: one a label, and after them one for `OUT_OF_SCOPE` where there were examples of it.

    `embedding` is (dimensions, K), `words` (vocabulary, K), `bias` (K,). `temperature` divides the logits before the
    softmax. A text's score is its greatest logit less `stranger` times its out-of-scope logit; `line` is the score
    from which a text is in scope. `sure` is the probability from which 95 of 100 answers were right in
    cross-validation.
    """

    labels: tuple[str, ...]
    ngrams: Ngrams
    embedding: Floats
    words: Floats
    bias: Floats
    temperature: float = 1.0
    stranger: float = 0.0
    line: float = -np.inf
    sure: float = 0.0

    def save(self, path: Path) -> None:
        """Write an npz file without pickles. Equal weights give equal bytes."""
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                allow_pickle=False,
                format=np.array(_FORMAT),
                labels=_packed(self.labels),
                vocabulary=_packed(self.ngrams.vocabulary),
                idf=self.ngrams.idf,
                embedding=self.embedding.astype(np.float16),
                words=self.words.astype(np.float16),
                bias=self.bias,
                scalars=np.array([self.temperature, self.stranger, self.line, self.sure]),
            )

    @classmethod
    def load(cls, path: Path) -> Weights:
        """Read what `save` wrote. Raises `CorruptArtefact` for any other file."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                found = {name: stored[name] for name in stored.files}
        except (OSError, ValueError, EOFError) as problem:
            raise CorruptArtefact(f"{path} holds no classifier: {problem}") from problem
        if _KEYS - found.keys() or int(found["format"]) != _FORMAT:
            raise CorruptArtefact(f"{path} holds no classifier of format {_FORMAT}: train it anew")
        temperature, stranger, line, sure = found["scalars"].tolist()
        return cls(
            _unpacked(found["labels"]),
            Ngrams(_unpacked(found["vocabulary"]), found["idf"]),
            found["embedding"].astype(np.float32),
            found["words"].astype(np.float32),
            found["bias"],
            temperature,
            stranger,
            line,
            sure,
        )


class Classifier:
    """Decides with trained weights. Pure arithmetic on the text and its embedding: some 0.1 ms a text."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that can come out."""
        return self._weights.labels

    @property
    def sure(self) -> float:
        """The probability from which 95 of 100 answers were right in cross-validation."""
        return self._weights.sure

    def decide(self, text: str, vector: Sequence[float] | Floats) -> Decision:
        """Decide on one text, given its unit-length embedding."""
        weights = self._weights
        places, values = weights.ngrams.weigh(text)
        logits = np.asarray(vector, np.float32) @ weights.embedding + weights.bias
        logits += WORDS * (values @ weights.words[places])
        familiarity = float(scores(logits[None], len(weights.labels), weights.stranger)[0]) - weights.line
        probabilities = softmax(logits[None, : len(weights.labels)] / weights.temperature)[0]
        best = int(probabilities.argmax())
        by_label = dict(zip(weights.labels, probabilities.tolist(), strict=True))
        return Decision(weights.labels[best], float(probabilities[best]), familiarity, by_label)


def softmax(logits: Floats) -> Floats:
    """Row by row, (n, K)."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def scores(logits: Floats, labels: int, stranger: float) -> Floats:
    """How familiar each row's text is: the greatest of its first `labels` logits, less the out-of-scope one's share."""
    known: Floats = logits[:, :labels].max(axis=1)
    return known - stranger * logits[:, labels] if logits.shape[1] > labels else known


def _packed(words: Sequence[str]) -> NDArray[np.uint8]:
    """Strings as bytes, one a line: numpy's own arrays of strings take four bytes a character."""
    return np.frombuffer("\n".join(words).encode(), np.uint8)


def _unpacked(packed: NDArray[np.uint8]) -> tuple[str, ...]:
    text = packed.tobytes().decode()
    return tuple(text.split("\n")) if text else ()
