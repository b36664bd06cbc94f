"""Teaches the router and the triage: brings the examples, the embeddings and the training together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from langchain_core.embeddings import Embeddings
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from agents.examples import LABELS, Example, of_head, read_examples, with_actions
from agents.router import FOLDER
from app.demo.labelled import halves
from core.errors import MissingExtra
from core.modelstore import ModelStore
from core.settings import Settings
from retrieval.embed.onnx import OnnxEmbeddings

if TYPE_CHECKING:
    from agents.classifier import Floats
    from agents.training import Trained

# Texts embedded between two steps of the progress bar.
_AT_ONCE = 256


def open_embeddings(settings: Settings) -> OnnxEmbeddings:
    """The embedding model of the settings, to be closed. Raises `NotFound` when it has not been pulled."""
    return OnnxEmbeddings(ModelStore().path(settings.embedding_model))


def shipped_examples() -> list[Example]:
    """The examples in the repository, and the half of the demo's tickets that may be learned from."""
    tickets, _ = halves()
    return [
        *with_actions(read_examples(FOLDER / "examples.jsonl")),
        *read_examples(FOLDER / "actions.jsonl"),
        *(Example(each.text, {"category": each.category, "priority": each.priority}) for each in tickets),
    ]


def train_heads(
    examples: Sequence[Example],
    embeddings: Embeddings,
    console: Console | None = None,
    heads: Collection[str] = tuple(LABELS),
) -> dict[str, Trained]:
    """Train those of the heads that the examples speak of; `console` gets a progress bar.

    Raises `MissingExtra` without scikit-learn, `InvalidInput` as `agents.training.train`.
    """
    if find_spec("sklearn") is None:
        raise MissingExtra("scikit-learn", "train")
    # scikit-learn takes a second to import, and only those who train have it.
    from agents.training import train

    trained = {}
    with _progress(console) as progress:
        wanted = [example for example in examples if example.labels.keys() & set(heads)]
        vectors = embedded(embeddings, [example.text for example in wanted], progress)
        for head in LABELS:
            rows = [place for place, example in enumerate(wanted) if head in example.labels]
            if rows and head in heads:
                advance = partial(_advance, progress, progress.add_task(head))
                trained[head] = train(*of_head(wanted, head), vectors[rows], progress=advance)
    return trained


def embedded(embeddings: Embeddings, texts: Sequence[str], progress: Progress) -> Floats:
    """Unit vectors (n, d), with a bar of their own on `progress`."""
    task = progress.add_task("reading", total=len(texts))
    parts = []
    for start in range(0, len(texts), _AT_ONCE):
        rows = np.asarray(embeddings.embed_documents(list(texts[start : start + _AT_ONCE])), np.float32)
        parts.append(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
        progress.advance(task, len(rows))
    return np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)


def _advance(progress: Progress, task: TaskID, stage: str, done: int, total: int) -> None:
    progress.update(task, completed=done, total=total, description=stage)


def _progress(console: Console | None) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console, disable=console is None
    )
