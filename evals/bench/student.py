"""The student of the devices: microseconds a text, against the embedding and the heads that taught it.

The texts are the held-out messages and wishes; a round is all of them. On one thread each, as a phone would, in time
of the processor, which other load on the machine stretches less than the clock's.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable

from core.hashing import Hashing
from core.modelstore import ModelStore
from core.settings import Settings
from evals.bench.figure import Figure, Skipped

ROUNDS = 7
MOST_US = 1_000.0
MOST_HASHING_US = 300.0


def measure() -> list[Figure]:
    """Needs LiteRT, and scikit-learn for the teacher."""
    for package, extra in (("ai_edge_litert", "edge"), ("sklearn", "train")):
        if importlib.util.find_spec(package) is None:
            raise Skipped(f"{package} is not installed: pip install -c constraints.txt -e '.[{extra}]'")
    from app.distilling.teacher import Teacher
    from edge.student import SHIPPED, Student
    from evals.suites.student import own_cases
    from retrieval.embed.onnx import OnnxEmbeddings

    texts = [case.text for case in own_cases()]
    embeddings = OnnxEmbeddings(ModelStore().path(Settings().embedding_model), workers=1)
    student, teacher, hashing = Student.shipped(), Teacher.shipped(), Hashing()

    def taught(text: str) -> None:
        teacher.logits([text], embeddings.embed([text]))

    try:
        ours, hashed, reference = list[float](), list[float](), list[float]()
        for _ in range(ROUNDS + 1):
            hashed.append(_microseconds(hashing.vector, texts))
            ours.append(_microseconds(student.judge, texts))
            reference.append(_microseconds(taught, texts))
    finally:
        embeddings.close()
    # The first round fills caches.
    ours, hashed, reference = ours[1:], hashed[1:], reference[1:]
    median = sorted(ours)[ROUNDS // 2]
    against = "all-MiniLM-L6-v2 on ONNX Runtime and three heads"
    size = SHIPPED.stat().st_size / 1000
    return [
        Figure("text to decision", "µs", ours, reference, against, f"≤ {MOST_US:,.0f} µs", median <= MOST_US),
        Figure(
            "of which hashing", "µs", hashed, goal=f"≤ {MOST_HASHING_US:.0f} µs",
            met=sorted(hashed)[ROUNDS // 2] <= MOST_HASHING_US,
        ),
        Figure("file", "kB", [size], goal="≤ 400 kB", met=size <= 400),
    ]  # fmt: skip


def _microseconds(decide: Callable[[str], object], texts: list[str]) -> float:
    """The mean over the texts, of the processor's time."""
    begun = time.process_time()
    for text in texts:
        decide(text)
    return (time.process_time() - begun) / len(texts) * 1e6
