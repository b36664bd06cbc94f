"""Runs a student on the device: a text's labels by head, with calibrated probabilities, and whether it is in scope.

The only file here that knows LiteRT (the extra `edge`). One thread: the work is some ten microseconds.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-untyped]
from numpy.typing import NDArray

from core.errors import CorruptArtefact
from core.hashing import Hashing
from core.studentcard import StudentCard

Floats = NDArray[np.float32]

SHIPPED = Path(__file__).with_name("models") / "student.tflite"
"""The student in the repository: heads `route`, `action` and `priority`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one head says: the likeliest label, its probability, and that of every label.

    `sure` says that such answers were right 95 times in 100 on examples that were held out; fewer are in another voice
    (`docs/decisions/0023-student.md`).
    """

    label: str
    probability: float
    sure: bool
    probabilities: dict[str, float]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the student makes of a text. Below 0, `familiarity` says that no label fits (`in_scope` is False)."""

    heads: dict[str, Answer]
    familiarity: float

    @property
    def in_scope(self) -> bool:
        """Whether any label fits."""
        return self.familiarity >= 0


class Student:
    """A student, opened. Safe to share between threads, which take turns."""

    def __init__(self, model: Path, card: StudentCard | None = None) -> None:
        """Open the .tflite file `model` and the card beside it (the same name with `.json`), or the given card.

        Raises `CorruptArtefact` when either is missing, unreadable or not the other's.
        """
        self.card = StudentCard.read(model.with_suffix(".json")) if card is None else card
        try:
            content = model.read_bytes()
        except OSError as problem:
            raise CorruptArtefact(f"{model}: no student can be read: {problem.strerror}") from problem
        found = hashlib.sha256(content).hexdigest()
        if found != self.card.sha256:
            raise CorruptArtefact(f"{model} has the SHA-256 {found}, but its card says {self.card.sha256 or 'none'}")
        self._hashing = Hashing(self.card.buckets)
        self._lock = threading.Lock()
        try:
            self._interpreter = Interpreter(model_content=content, num_threads=1)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as problem:
            raise CorruptArtefact(f"{model} is no model that LiteRT runs: {problem}") from problem
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        shapes = [tuple(each["shape"].tolist()) for each in (*inputs, *outputs)]
        wanted = [(1, self.card.buckets), (1, self.card.columns)]
        if shapes != wanted or any(each["dtype"] is not np.float32 for each in (*inputs, *outputs)):
            raise CorruptArtefact(f"{model} has tensors of {shapes} where its card needs float32 of {wanted}")
        self._input, self._output = inputs[0]["index"], outputs[0]["index"]

    @classmethod
    def shipped(cls) -> Student:
        """The student in the repository. Raises as the class does."""
        return cls(SHIPPED)

    def logits(self, text: str) -> Floats:
        """The model's output (1, K) for a text, as `StudentCard` describes it."""
        vector = self._hashing.vector(text)[None]
        with self._lock:
            self._interpreter.set_tensor(self._input, vector)
            self._interpreter.invoke()
            logits: Floats = self._interpreter.get_tensor(self._output)
        return logits

    def judge(self, text: str) -> Opinion:
        """The labels of a text. A text without words is out of scope where the student knows of a scope."""
        logits = self.logits(text)
        shares = self.card.probabilities(logits)
        answers = {}
        for head in self.card.heads:
            own = dict(zip(head.labels, shares[head.name][0].tolist(), strict=True))
            label = max(own, key=own.__getitem__)
            answers[head.name] = Answer(label, own[label], own[label] >= head.sure, own)
        if self.card.line is None:
            return Opinion(answers, 0.0)
        return Opinion(answers, float(self.card.familiarity(logits)[0]) - self.card.line)
