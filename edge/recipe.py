"""The recipe of a bundle: a TOML file that says what goes into it.

::

    name = "assistant"
    days = 30                      # how long it may be installed
    bases = ["<sha256>"]           # models that its devices have already

    [needs]
    abis = ["arm64-v8a"]
    memory = 600_000_000

    [[artefact]]
    id = "house"
    kind = "adapter"
    path = "house.gguf"            # beside the recipe; or  model = "smollm2-135m-instruct"  of the model store
    licence = "Apache-2.0"
    peak_memory = 9_000_000
    base = "chat"                  # an artefact of the bundle, or a SHA-256
    sha256 = "…"                   # optional: the file must be this one
    card.tools_exact = { value = 0.91, low = 0.90, high = 0.93 }

    [snapshot]                     # the company's documents
    audience = "public"
    days = 7
    licence = "proprietary"
    peak_memory = 60_000_000
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import InvalidInput, NotFound
from core.types import Audience
from edge.manifest import ArtefactId, BundleName, Bytes, FileName, Kind, Metric, Needs, Sha256, Text


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ingredient(_Frozen):
    """One artefact, and where its file is: at a `path`, or in the model store under a name. Sizes are in bytes."""

    id: ArtefactId
    kind: Kind
    path: Path | None = None
    model: str | None = None
    file: FileName | None = Field(None, description="its name in the bundle; the default is its own")
    licence: str = ""
    peak_memory: Bytes
    quantisation: Text | None = None
    sha256: Sha256 | None = None
    base: str | None = None
    card: dict[str, Metric] = {}

    @model_validator(mode="after")
    def _one_place(self) -> Ingredient:
        if (self.path is None) == (self.model is None):
            raise ValueError("give either a path or a model of the model store")
        if self.kind is Kind.SNAPSHOT:
            raise ValueError("a snapshot is made from the documents: give it as [snapshot]")
        return self


class SnapshotOrder(_Frozen):
    """The snapshot that is to be made: of what this audience may see, for `days`; delivered to one customer only?"""

    audience: Audience = Audience.PUBLIC
    customer: Text | None = None
    days: int = Field(7, ge=1, le=366)
    licence: str = ""
    peak_memory: Bytes


class Recipe(_Frozen):
    """What goes into a bundle, and how many days it may be installed."""

    name: BundleName
    days: int = Field(30, ge=1, le=3660)
    needs: Needs = Needs()
    bases: tuple[Sha256, ...] = ()
    artefact: tuple[Ingredient, ...] = ()
    snapshot: SnapshotOrder | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Recipe:
        if not self.artefact and self.snapshot is None:
            raise ValueError("there is nothing in it")
        return self


def read(path: Path) -> Recipe:
    """Read a recipe; its paths are made absolute from where it lies.

    Raises `NotFound` when there is no such file, `InvalidInput` for one that is no recipe, and says where.
    """
    try:
        recipe = Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise NotFound(f"no recipe {path}", param="recipe") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise InvalidInput(f"{path} is not TOML: {problem}", param="recipe") from problem
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InvalidInput(f"{path}: {place or 'the recipe'}: {first['msg']}", param=place or "recipe") from problem
    folder = path.absolute().parent
    placed = tuple(
        each if each.path is None else each.model_copy(update={"path": folder / each.path}) for each in recipe.artefact
    )
    return recipe.model_copy(update={"artefact": placed})
