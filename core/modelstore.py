"""The model store: which models there are, and their verified files on this machine.

`core/models.toml` names each model once. `pull` fetches a model's files into the user's cache; `path` hands out
files whose SHA-256 is the pinned one, and deletes those whose is not. Only formats that cannot carry code are
known: never a pickle.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from core.errors import CorruptArtefact, InvalidInput, NotFound
from core.modelsources import fetch

CATALOGUE = Path(__file__).with_name("models.toml")
FORMATS = frozenset({".gguf", ".safetensors", ".onnx", ".tflite", ".json", ".txt"})
# Called with the model's name, the bytes that have arrived and the bytes in all.
Progress = Callable[[str, int, int], None]


CTRANSLATE2 = "model.bin"  # the one name that CTranslate2 gives its format; any other `.bin` may be a pickle


def _allowed(path: str) -> str:
    if PurePosixPath(path).suffix not in FORMATS and PurePosixPath(path).name != CTRANSLATE2:
        raise ValueError(f"{path}: only {', '.join(sorted(FORMATS))} and {CTRANSLATE2} files are opened")
    return path


class ModelFile(BaseModel):
    """One file: where it lies within the model's source, what it must hash to, and its size in bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Annotated[str, AfterValidator(_allowed)]
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(gt=0)

    @property
    def name(self) -> str:
        """The name that the file has in the store."""
        return PurePosixPath(self.path).name


class Model(BaseModel):
    """One model of the catalogue. `task` is `chat`, `embedding` or `transcription`.

    `source` is read by `core.modelsources`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    task: str
    description: str
    licence: str
    source: str = Field(pattern=r"^(pypi|path|https|hub):.+$")
    files: tuple[ModelFile, ...] = Field(min_length=1)

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)


def catalogue(file: Path = CATALOGUE) -> tuple[Model, ...]:
    """The models that a catalogue file names. Raises `pydantic.ValidationError` when it is malformed."""
    return tuple(Model.model_validate(row) for row in tomllib.loads(file.read_text(encoding="utf-8"))["model"])


class ModelStore:
    """The models on this machine.

    Files lie in `cache/<model>-<digest>/`, where the digest stands for the pinned hashes, so a changed pin never
    meets old files. A file is complete or absent: it is verified under another name and then renamed, which also
    lets two processes pull the same model at once.
    """

    def __init__(self, cache: Path | None = None, models: Iterable[Model] | None = None) -> None:
        self.cache = cache or default_cache()
        self._models = {model.name: model for model in (catalogue() if models is None else models)}

    def list(self) -> list[Model]:
        """Every model of the catalogue, in its order."""
        return [*self._models.values()]

    def has(self, name: str) -> bool:
        """Whether the model's files are here. They are verified when they are used, not now."""
        model = self._model(name)
        return all((self._folder(model) / file.name).is_file() for file in model.files)

    def path(self, name: str) -> Path:
        """The model's verified file, or the folder of its verified files when it has several.

        `name` may also be the path of an existing file of an allowed format, which is then meant itself: the user
        vouches for it. Raises `NotFound` when the model is unknown or has not been pulled, `CorruptArtefact` when
        a hash is not the pinned one (the file is deleted), `InvalidInput` for a file of another format.
        """
        own = _own_file(name)
        if own is not None:
            return own
        model = self._model(name)
        folder = self._folder(model)
        for file in model.files:
            held = folder / file.name
            if not held.is_file():
                told = f"the model {name} is not on this machine: run  wayside models pull {name}"
                raise NotFound(told, param="model")
            _verify(held, file)
        return folder / model.files[0].name if len(model.files) == 1 else folder

    def pull(self, name: str, progress: Progress | None = None) -> Path:
        """Fetch what is missing of the model, verify it, and return `path(name)`.

        Raises `NotFound` when the model is unknown or its source cannot be had, `CorruptArtefact` when the source
        gives other files than the pinned ones.
        """
        if _own_file(name) is not None:
            return self.path(name)
        model = self._model(name)
        folder = self._folder(model)
        missing = [file for file in model.files if not (folder / file.name).is_file()]
        if missing:
            folder.mkdir(parents=True, exist_ok=True)
            total = sum(file.size for file in missing)
            with tempfile.TemporaryDirectory(dir=self.cache, prefix=".pull-") as temporary:
                arriving = Path(temporary)

                def arrived(done: int) -> None:
                    if progress is not None:
                        progress(name, min(done, total), total)

                fetch(model.source, [file.path for file in missing], arriving, arrived)
                for file in missing:
                    _verify(arriving / file.name, file)
                    _settle(arriving / file.name, folder / file.name)
                arrived(total)
        return self.path(name)

    def _model(self, name: str) -> Model:
        if name not in self._models:
            known = ", ".join(self._models)
            told = f"no model {name!r}: the catalogue has {known}, and a path names a file of yours"
            raise NotFound(told, param="model")
        return self._models[name]

    def _folder(self, model: Model) -> Path:
        pins = "".join(file.sha256 for file in model.files)
        return self.cache / f"{model.name}-{hashlib.sha256(pins.encode()).hexdigest()[:12]}"


ADAPTER_BASE = "wayside.base.sha256"
"""The field of an adapter's GGUF that says on which file it was tuned."""


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def default_cache() -> Path:
    """The user's cache folder for models, after the XDG base directory specification."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    # The specification says to ignore a relative path.
    root = Path(home) if home.startswith("/") else Path.home() / ".cache"
    return root / "wayside" / "models"


def _own_file(name: str) -> Path | None:
    """The file that a setting names by its path, if it does. A name of the catalogue has no separator and no suffix."""
    path = Path(name).expanduser()
    if not re.search(r"[/\\]", name) and path.suffix not in FORMATS:
        return None
    if path.suffix not in FORMATS:
        raise InvalidInput(f"{path}: only {', '.join(sorted(FORMATS))} files are opened", param="model")
    if not path.is_file():
        raise NotFound(f"no model file {path}", param="model")
    return path


def _verify(held: Path, file: ModelFile) -> None:
    found = file_sha256(held)
    if found != file.sha256:
        held.unlink(missing_ok=True)
        raise CorruptArtefact(
            f"{held} has the SHA-256 {found}, but {file.sha256} is pinned: it has been deleted, pull it again"
        )


def _settle(arrived: Path, final: Path) -> None:
    """Make the file durable before it gets its name, so that a power cut leaves no torn file under it."""
    with arrived.open("rb") as file:
        os.fsync(file.fileno())
    arrived.replace(final)
