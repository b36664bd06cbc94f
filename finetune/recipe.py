"""A recipe: one YAML file that says everything about a training run, so that the run can be made again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from core.errors import InvalidInput

LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""Every linear layer of a Llama block. Embeddings are left alone: llama.cpp's adapters cannot hold them."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Base(_Part):
    """The model that is tuned: a name in the model store, a GGUF file, or a folder or hub name of `transformers`.

    `layers` and `hidden` make a model of random weights with that base's tokenizer in its place, for trying a recipe.
    """

    model: str
    layers: int | None = Field(None, ge=1, description="decoder blocks of a random model")
    hidden: int | None = Field(None, ge=32, multiple_of=32, description="its width; a head is 32 wide")

    @model_validator(mode="after")
    def _both(self) -> Base:
        if (self.layers is None) != (self.hidden is None):
            raise ValueError("a random model needs both layers and hidden")
        return self


class Source(_Part):
    """Where rows come from: a generator by its name, or a JSONL file beside the recipe."""

    generator: str | None = None
    file: str | None = None
    rows: int | None = Field(None, ge=1, description="how many; a generator needs it, of a file they are the first")
    seed: int = 0

    @model_validator(mode="after")
    def _one(self) -> Source:
        if (self.generator is None) == (self.file is None):
            raise ValueError("name either a generator or a file")
        if self.generator is not None and self.rows is None:
            raise ValueError("a generator needs a number of rows")
        return self


class Adapter(_Part):
    """LoRA (Hu et al., 2021): rank, alpha (the update is scaled by alpha / rank), dropout, the layers it is put on.

    `start` is an adapter in GGUF, beside the recipe, of the same base, rank and layers: training goes on from it.
    """

    rank: int = Field(16, ge=1, le=256)
    alpha: float = Field(32.0, gt=0)
    dropout: float = Field(0.0, ge=0, lt=1)
    layers: tuple[str, ...] = LINEAR
    start: str | None = None


class Schedule(_Part):
    """How it is trained. A step takes `packs` packs on each process; the rate warms up and then falls to zero."""

    epochs: float = Field(1.0, gt=0)
    packs: int = Field(4, ge=1, description="packs a step")
    pack_tokens: int = Field(1024, ge=64, description="most tokens of a pack")
    learning_rate: float = Field(5e-4, gt=0)
    warmup: float = Field(0.05, ge=0, lt=1, description="share of the steps")
    decay: Literal["cosine", "linear"] = "cosine"
    weight_decay: float = Field(0.0, ge=0)
    gradient_norm: float = Field(1.0, gt=0, description="gradients are scaled down to this norm")
    precision: Literal["float32", "bfloat16"] = Field("float32", description="of the forward pass (autocast)")


class Evaluation(_Part):
    """Held-out rows are looked at every `every` steps and at the end; the best checkpoint is what is exported."""

    every: int = Field(50, ge=1)


class Export(_Part):
    """What comes out beside the adapter's safetensors: GGUF of the adapter, and of the merged model by type."""

    adapter: Literal["f32", "f16"] | None = "f16"
    merged: tuple[Literal["f32", "f16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"], ...] = ()


class Recipe(_Part):
    """The whole recipe."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    about: str = ""
    licence: str = Field(description="of the model that comes out, in SPDX's words")
    base: Base
    data: tuple[Source, ...] = Field(min_length=1)
    held_out: tuple[Source, ...] = Field(min_length=1)
    personal_data: Annotated[Literal["refused", "allowed"], BeforeValidator(str)] = "refused"
    seed: int = 0
    adapter: Adapter = Adapter()
    schedule: Schedule = Schedule()
    evaluation: Evaluation = Evaluation()
    export: Export = Export()

    @property
    def hash(self) -> str:
        """SHA-256 of what the recipe says; neither comments nor the order of its lines count."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def read_recipe(path: Path) -> Recipe:
    """Read a recipe. Raises `InvalidInput` that names the field and what is wrong with it."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}", param="recipe") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} is no YAML: {error}", param="recipe") from error
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the recipe"
        raise InvalidInput(f"{path}: {place}: {first['msg']}", param=place) from error
