"""The manifest of a bundle: what is in it, for whom, until when, and how good it was measured to be.

What is signed is its canonical JSON (RFC 8785), so a manifest means the same bytes whoever writes it. A bundle is
named, and counted: of two bundles of one name the one with the higher `counter` is the newer.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from core.types import Audience, Principal, Role

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
BundleName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
ArtefactId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
# A plain name: no separator, no leading dot, nothing that a file system reads in a way of its own.
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
# The largest integer that every reader of JSON takes alike.
_MOST = 2**53 - 1
Bytes = Annotated[int, Field(ge=0, le=_MOST)]


class Kind(StrEnum):
    """What an artefact is. `data` is a small file that the device's own program reads, such as a student's labels."""

    GGUF = "gguf"
    ADAPTER = "adapter"
    TFLITE = "tflite"
    SNAPSHOT = "snapshot"
    DATA = "data"


class Runtime(StrEnum):
    """What opens an artefact on the device; `wayside` is the device's own program."""

    LLAMA_CPP = "llama.cpp"
    LITERT = "litert"
    QDRANT_EDGE = "qdrant-edge"
    WAYSIDE = "wayside"


RUNTIMES = {
    Kind.GGUF: Runtime.LLAMA_CPP,
    Kind.ADAPTER: Runtime.LLAMA_CPP,
    Kind.TFLITE: Runtime.LITERT,
    Kind.SNAPSHOT: Runtime.QDRANT_EDGE,
    Kind.DATA: Runtime.WAYSIDE,
}


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Chunk(NamedTuple):
    """A stretch of an artefact: the SHA-256 of its bytes, and how many they are."""

    sha256: Sha256
    size: Annotated[int, Field(gt=0, le=_MOST)]


class Metric(_Frozen):
    """What an evaluation measured, with the 95 % interval around it."""

    value: float = Field(allow_inf_nan=False)
    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)

    @model_validator(mode="after")
    def _ordered(self) -> Metric:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"the interval {self.low} to {self.high} does not hold the value {self.value}")
        return self


class Reach(_Frozen):
    """Whose knowledge a snapshot holds: a tenant's documents for one audience, or for one customer of that tenant."""

    tenant: Text
    audience: Audience
    customer: Text | None = None


class Artefact(_Frozen):
    """One file of a bundle. Sizes are in bytes.

    `peak_memory` is what its runtime was measured to take, `card` what its evaluation found. `base` is the SHA-256 of
    the model that an adapter was trained on. A snapshot has a `reach`, and `expires`: from then on it is not opened.
    `chunks` make up the file, in order.
    """

    id: ArtefactId
    kind: Kind
    runtime: Runtime
    file: FileName
    sha256: Sha256
    size: Annotated[int, Field(gt=0, le=_MOST)]
    peak_memory: Bytes
    quantisation: Text | None = None
    licence: Text
    card: dict[Annotated[str, Field(pattern=r"^[a-z0-9_.@-]{1,60}$")], Metric] = {}
    base: Sha256 | None = None
    reach: Reach | None = None
    expires: AwareDatetime | None = None
    chunks: tuple[Chunk, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Artefact:
        if self.runtime is not RUNTIMES[self.kind]:
            raise ValueError(f"a {self.kind} is opened by {RUNTIMES[self.kind]}, not by {self.runtime}")
        if (self.base is not None) != (self.kind is Kind.ADAPTER):
            raise ValueError("an adapter names its base, and nothing else does")
        if (self.reach is not None) != (self.kind is Kind.SNAPSHOT):
            raise ValueError("a snapshot says whose knowledge it holds, and nothing else does")
        if self.kind is Kind.SNAPSHOT and self.expires is None:
            raise ValueError("a snapshot expires")
        if sum(chunk.size for chunk in self.chunks) != self.size:
            raise ValueError("the sizes of the chunks do not add up to that of the file")
        return self

    @property
    def etag(self) -> str:
        """Its strong entity tag: the same bytes have the same tag, wherever they are served."""
        return f'"{self.sha256}"'


class Needs(_Frozen):
    """What a device must have: one of `abis` (any will do when there is none), and `memory` bytes for the program."""

    abis: tuple[Text, ...] = ()
    memory: Bytes = 0


class Manifest(_Frozen):
    """A bundle. It may be installed from `created` until `expires`; `bases` must be on the device already."""

    format: Literal[1] = 1
    name: BundleName
    tenant: Text
    counter: int = Field(ge=1, le=_MOST)
    created: AwareDatetime
    expires: AwareDatetime
    needs: Needs = Needs()
    bases: tuple[Sha256, ...] = ()
    artefacts: tuple[Artefact, ...] = Field(min_length=1, max_length=64)

    @model_validator(mode="after")
    def _consistent(self) -> Manifest:
        if self.expires <= self.created:
            raise ValueError("a bundle expires after it was made")
        for field in ("id", "file"):
            # Some devices' file systems do not tell capitals from small letters.
            names = [getattr(artefact, field).lower() for artefact in self.artefacts]
            if len(set(names)) != len(names):
                raise ValueError(f"two artefacts have the same {field}")
        if any(each.reach is not None and each.reach.tenant != self.tenant for each in self.artefacts):
            raise ValueError("a snapshot holds the knowledge of another tenant than the bundle's")
        return self

    @property
    def size(self) -> int:
        """Bytes of all its artefacts."""
        return sum(artefact.size for artefact in self.artefacts)

    @property
    def peak_memory(self) -> int:
        """Bytes that all its artefacts take when they are open side by side."""
        return sum(artefact.peak_memory for artefact in self.artefacts)

    def artefact(self, artefact_id: str) -> Artefact | None:
        """The artefact with this id, if there is one."""
        return next((each for each in self.artefacts if each.id == artefact_id), None)

    def missing_bases(self, on_device: frozenset[str] = frozenset()) -> dict[str, str]:
        """The adapters whose base is neither in the bundle nor among the hashes `on_device`: id → its base."""
        held = on_device | {each.sha256 for each in self.artefacts if each.kind is Kind.GGUF}
        wanted = {each.id: each.base for each in self.artefacts if each.base is not None}
        return {artefact_id: base for artefact_id, base in wanted.items() if base not in held}

    def visible_to(self, caller: Principal) -> bool:
        """Whether the caller may have the bundle, with everything that is in it."""
        return caller.tenant == self.tenant and all(_reaches(each.reach, caller) for each in self.artefacts)


def _reaches(reach: Reach | None, caller: Principal) -> bool:
    if reach is None:
        return True
    theirs = reach.customer is None or reach.customer == caller.customer_id or caller.role is not Role.CLIENT
    return theirs and reach.audience in caller.scope.audiences
