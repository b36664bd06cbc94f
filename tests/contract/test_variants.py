"""What every opener of registered versions promises: an engine that answers, or an error of ours."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.trials.opening import openers
from app.trials.variants import OpenVariant, Variant
from core.errors import CorruptArtefact, EngineUnavailable, InvalidInput
from core.modelstore import ModelStore
from core.settings import EmbeddedSettings
from core.versions import Kind, Lineage, Version
from tests.fakes.adapters import random_adapter
from tests.fakes.variants import ScriptedOpener

LINEAGE = Lineage(base="", data="d", recipe="r", code="c")


def version(kind: Kind) -> Version:
    return Version("house", 3, kind, (), LINEAGE, {}, "", "local:ada", datetime(2026, 1, 1, tzinfo=UTC))


def embedded(kind: Kind = Kind.GGUF) -> OpenVariant:
    return openers(EmbeddedSettings(context=512, slots=1), ModelStore())[kind]


@pytest.mark.parametrize("which", ["scripted", "gguf", "adapter"])
async def test_a_version_answers_under_its_own_name(model_store: ModelStore, tmp_path: Path, which: str) -> None:
    kind = Kind.GGUF if which == "gguf" else Kind.ADAPTER
    opener = ScriptedOpener().openers[kind] if which == "scripted" else embedded(kind)
    file = model_store.path("smollm2-135m-instruct")
    if which == "adapter":
        file = random_adapter(tmp_path / "adapter.gguf", file, 1)
    made = Variant(version(kind), await opener(version(kind), {"model.gguf": file}))
    request = {"messages": [{"role": "user", "content": "say something"}], "max_tokens": 4}
    done = await made.complete(request)
    assert (done.engine, made.name) == ("house@3", "house@3")
    assert done.body["choices"][0]["message"]["content"]
    stream = await made.stream(request | {"stream": True})
    assert stream.engine == "house@3"
    assert [chunk async for chunk in stream.chunks]
    await made.close()


async def test_what_is_no_gguf_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_text("no model")
    with pytest.raises(EngineUnavailable):
        await embedded()(version(Kind.GGUF), {"model.gguf": file})
    with pytest.raises(CorruptArtefact, match="no GGUF"):
        await embedded(Kind.ADAPTER)(version(Kind.ADAPTER), {"model.gguf": file})
    with pytest.raises(InvalidInput, match="2 files"):
        await embedded()(version(Kind.GGUF), {"model.gguf": file, "other.gguf": file})
