"""A model as one safetensors file: the numbers as its tensors, the names as JSON in its metadata. No pickles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from core.errors import CorruptArtefact
from tabular.recommend.blend import DEPTHS, WIDTH, Blend
from tabular.recommend.factors import Factors
from tabular.recommend.model import Model
from tabular.recommend.neighbours import Neighbours
from tabular.recommend.popularity import SPANS
from tabular.recommend.texts import Cold

FORMAT = 2
FILE = "model.safetensors"
_CARD = "model"

Arrays = Mapping[str, NDArray[Any]]


def save(model: Model, folder: Path) -> dict[str, Path]:
    """Write the model's file into `folder`, which is made where it is missing; the file by its name.

    Equal models give equal bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    card = {
        "format": FORMAT,
        "trained": model.trained,
        "alpha": model.factors.alpha,
        "embedding": model.embedding,
        "items": model.items,
        "titles": model.titles,
    }
    # The rows of an array may lie in any order in memory, but not in the file.
    arrays = {name: each.copy(order="C") for name, each in _arrays(model).items()}
    save_file(arrays, folder / FILE, {_CARD: json.dumps(card, ensure_ascii=False)})
    return {FILE: folder / FILE}


def load(files: Mapping[str, Path]) -> Model:
    """Read what `save` wrote, by name. Raises `CorruptArtefact` for anything else, whatever is wrong with it."""
    try:
        with safe_open(files[FILE], framework="numpy") as stored:
            card = json.loads(stored.metadata()[_CARD])
            if card["format"] != FORMAT:
                raise CorruptArtefact(f"a recommendation model of format {card['format']}, not {FORMAT}: train it anew")
            # What is opened has keys, and cannot be iterated over.
            arrays = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        model = _model(card, arrays)
        found = _inconsistent(model)
    except (SafetensorError, OSError, ValueError, LookupError, TypeError) as problem:
        raise CorruptArtefact(f"no recommendation model: {problem}") from problem
    if found:
        raise CorruptArtefact(f"a broken recommendation model: {found}")
    return model


def _arrays(model: Model) -> Arrays:
    relations = {"next": model.next, "similar": model.similar, "alike": model.alike}
    return {
        **{f"{name}_ids": each.ids for name, each in relations.items()},
        **{f"{name}_weights": each.weights for name, each in relations.items()},
        "factors": model.factors.items,
        "gram": model.factors.gram,
        "returns": model.returns,
        "popularity": model.popularity,
        "texts": model.texts,
        "cold_places": model.cold.places.astype(np.int64),
        "cold_lenders": model.cold.lenders.astype(np.int64),
        "cold_shares": model.cold.shares,
        "blend": model.blend.weights,
    }


def _model(card: Mapping[str, Any], arrays: Arrays) -> Model:
    relations = {
        name: Neighbours(arrays[f"{name}_ids"], arrays[f"{name}_weights"]) for name in ("next", "similar", "alike")
    }
    return Model(
        items=tuple(str(each) for each in card["items"]),
        titles=tuple(str(each) for each in card["titles"]),
        trained=float(card["trained"]),
        factors=Factors(arrays["factors"], arrays["gram"], float(card["alpha"])),
        returns=arrays["returns"],
        popularity=arrays["popularity"],
        texts=arrays["texts"],
        cold=Cold(arrays["cold_places"].astype(np.intp), arrays["cold_lenders"].astype(np.intp), arrays["cold_shares"]),
        blend=Blend(arrays["blend"]),
        embedding=str(card["embedding"]),
        **relations,
    )


def _inconsistent(model: Model) -> str | None:
    """What does not fit together, if something does not."""
    count = len(model.items)
    size = model.factors.items.shape[-1]
    shapes = {
        "titles": ((len(model.titles),), (count,)),
        "factors": (model.factors.items.shape, (count, size)),
        "gram": (model.factors.gram.shape, (size, size)),
        "returns": (model.returns.shape, (count,)),
        "popularity": (model.popularity.shape, (len(SPANS), count)),
        "texts": (model.texts.shape[:1], (count,)),
        "blend": (model.blend.weights.shape, (len(DEPTHS), WIDTH)),
        "cold": (model.cold.lenders.shape, model.cold.shares.shape),
        "cold items": (model.cold.places.shape, model.cold.lenders.shape[:1]),
    }
    pointing: list[NDArray[Any]] = [model.cold.places, model.cold.lenders]
    for name, each in {"next": model.next, "similar": model.similar, "alike": model.alike}.items():
        shapes[name] = (each.weights.shape, (count, *each.ids.shape[1:]))
        shapes[f"{name} items"] = (each.ids.shape[:1], (count,))
        pointing.append(each.ids)
    for name, (found, wanted) in shapes.items():
        if found != wanted:
            return f"{name}: {found} where {wanted} was expected"
    if any(each.size and not 0 <= each.min() <= each.max() < count for each in pointing):
        return "something points to an item that is not there"
    if not all(np.isfinite(each).all() for each in _arrays(model).values()):
        return "a number that is none"
    return None
