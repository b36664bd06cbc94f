"""POST /v1/embeddings: the same vectors that the search uses."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from app.accounts import Accounts
from app.api.chat_agent import usage_json
from app.api.json import StrictJsonRoute, listing
from app.auth import Anyone
from app.errors import responses
from app.telemetry import Telemetry, finish
from core.errors import InvalidInput, NotFound, TooLarge, UnsupportedParameter
from core.types import Usage

if TYPE_CHECKING:
    from core.types import Vector
    from retrieval.embed.onnx import OnnxEmbeddings

MAX_INPUTS = 256
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]


class EmbeddingRequest(BaseModel):
    """Texts to embed. Arrays of tokens are refused: they belong to another model's vocabulary."""

    model_config = ConfigDict(extra="forbid")

    model: str
    input: Text | Annotated[list[Text], Field(min_length=1, max_length=MAX_INPUTS)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Field(ge=1, le=1_000_000)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_tokens(cls, data: Any) -> Any:
        given = data.get("input") if isinstance(data, dict) else None
        if isinstance(given, list) and given and isinstance(given[0], int | list):
            raise UnsupportedParameter("Arrays of tokens are not supported; send text.", param="input")
        return data


class Embedding(BaseModel):
    """One vector: numbers, or the base64 of little-endian 32-bit floats."""

    object: str
    index: int
    embedding: list[float] | str


class EmbeddingList(BaseModel):
    """The vectors in the order of the inputs."""

    object: str
    data: list[Embedding]
    model: str
    usage: dict[str, int]


def routes(
    embeddings: OnnxEmbeddings, model: str, characters: int, accounts: Accounts, telemetry: Telemetry
) -> APIRouter:
    """The router of this surface. `model` is the name to ask for, `characters` the most text of one request."""
    router = APIRouter(prefix="/v1/embeddings", tags=["embeddings"], route_class=StrictJsonRoute)

    @router.post("", response_model=EmbeddingList, responses=responses(404, 409, 422))
    async def create_embeddings(request: Request, body: EmbeddingRequest, caller: Anyone) -> Response:
        """Embed one text or several. Of a text that is too long for the model, its beginning counts."""
        texts = [body.input] if isinstance(body.input, str) else body.input
        _check(body, texts, model, embeddings.dimensions, characters)
        span = telemetry.model_call("embeddings", body.model, "embedded")
        try:
            vectors = await embeddings.aembed(texts)
        except BaseException as error:
            finish(span, error=error)
            raise
        usage = Usage(prompt_tokens=embeddings.count_tokens(texts))
        finish(span, model=body.model, usage=usage)
        await accounts.book(request, body.model, "embedded", usage)
        encode = _base64 if body.encoding_format == "base64" else _floats
        data = [{"object": "embedding", "index": i, "embedding": encode(v)} for i, v in enumerate(vectors)]
        counted = usage_json(usage)
        del counted["completion_tokens"]
        return listing(data, model=body.model, usage=counted)

    return router


def _check(body: EmbeddingRequest, texts: list[str], model: str, dimensions: int, characters: int) -> None:
    if body.model != model:
        message = f"There is no embedding model {body.model!r}; there is {model!r}."
        raise NotFound(message, param="model", code="model_not_found")
    if body.dimensions not in (None, dimensions):
        raise InvalidInput(f"This model has {dimensions} dimensions and no others.", param="dimensions")
    if sum(map(len, texts)) > characters:
        raise TooLarge(f"The input is longer than {characters} characters in sum.", param="input")


def _floats(vector: Vector) -> list[float]:
    return [float(value) for value in vector]


def _base64(vector: Vector) -> str:
    return base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode()
