"""Several adapters on one embedded engine: none answers from what another one read."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import gguf
import orjson
import pytest

from app.engines.adapters import checked
from app.engines.embedded import EmbeddedEngine
from app.engines.house import HOUSE_ADAPTER, housed
from core.errors import CorruptArtefact, NotFound
from core.modelstore import ADAPTER_BASE, ModelStore
from core.settings import HOUSE, EmbeddedSettings
from tests.fakes.adapters import random_adapter

MODEL = "smollm2-135m-instruct"
PROMPT = [
    {"role": "system", "content": "You are the assistant of a shop for tents, boots and lamps. Be short and friendly."},
    {"role": "user", "content": "What should I pack for two days of rain in the hills?"},
]
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(scope="module")
def base() -> Path:
    return ModelStore().pull(MODEL)


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory, base: Path) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("adapters")
    return {name: random_adapter(folder / f"{name}.gguf", base, seed) for seed, name in enumerate(("first", "second"))}


def _engine(base: Path, adapters: dict[str, Path], tool_adapter: str = "", slots: int = 1) -> EmbeddedEngine:
    settings = EmbeddedSettings(context=1024 * slots, slots=slots, adapters=adapters, tool_adapter=tool_adapter)
    return EmbeddedEngine(settings, base)


@pytest.fixture(scope="module")
def alone(base: Path, adapters: dict[str, Path]) -> dict[str, str]:
    """What each says on an engine that nobody else has used."""

    async def by_itself(model: str) -> str:
        engine = _engine(base, adapters)
        try:
            return await _says(engine, model)
        finally:
            await engine.close()

    said = {model: asyncio.run(by_itself(model)) for model in (MODEL, *adapters)}
    assert len({*said.values()}) == 3, said
    return said


async def _says(engine: EmbeddedEngine, model: str) -> str:
    done = await engine.complete({"model": model, "messages": PROMPT, "max_tokens": 12, "temperature": 0})
    assert done.body["model"] == model
    return str(done.body["choices"][0]["message"]["content"])


@pytest.mark.parametrize("slots", [1, 2])
async def test_answers_stay_their_own_in_any_order(
    base: Path, adapters: dict[str, Path], alone: dict[str, str], slots: int
) -> None:
    engine = _engine(base, adapters, slots=slots)
    try:
        order = [MODEL, "first", MODEL, "second", "first", "first", MODEL]
        for model in order:
            assert await _says(engine, model) == alone[model], model
        together = await asyncio.gather(*(_says(engine, model) for model in order))
        assert together == [alone[model] for model in order]
    finally:
        await engine.close()


async def test_a_prompt_is_remembered_within_an_adapter(base: Path, adapters: dict[str, Path]) -> None:
    engine = _engine(base, adapters)
    try:
        remembered = []
        for model in ("first", "first", MODEL, "first", "first"):
            done = await engine.complete({"model": model, "messages": PROMPT, "max_tokens": 1})
            usage = done.body["usage"]
            remembered.append(usage["prompt_tokens_details"]["cached_tokens"] / usage["prompt_tokens"])
        assert [share > 0.9 for share in remembered] == [False, True, False, False, True]
        assert [share == 0 for share in remembered] == [True, False, True, True, False]
    finally:
        await engine.close()


async def test_tools_are_chosen_with_the_adapter_for_tools(base: Path, adapters: dict[str, Path]) -> None:
    engine = _engine(base, adapters, "second")
    try:
        asked = {"model": MODEL, "messages": PROMPT, "max_tokens": 64, "temperature": 0, "tools": [TOOL]}
        assert (await engine.complete(asked)).body["model"] == "second"
        assert (await engine.complete({**asked, "model": "first"})).body["model"] == "first"
        assert (await engine.complete({**asked, "tools": []})).body["model"] == MODEL
        assert engine.models == (MODEL, "first", "second")
    finally:
        await engine.close()


async def test_the_one_that_ships_was_tuned_on_the_packaged_model_and_chooses_tools(base: Path) -> None:
    # The engine takes ours at its word, to start sooner.
    checked({HOUSE: HOUSE_ADAPTER}, base)
    assert ADAPTER_BASE in gguf.GGUFReader(HOUSE_ADAPTER).fields
    engine = EmbeddedEngine(housed(EmbeddedSettings(context=1024, slots=1)), base)
    try:
        weather, lamp = _tool("weather", "Say what the weather is like.", "city"), _tool("lamp", "Switch it.", "room")
        asked = {"messages": [{"role": "user", "content": "Please switch the lamp in the kitchen"}], "temperature": 0}
        done = await engine.complete({**asked, "model": MODEL, "tools": [weather, lamp], "max_tokens": 64})
        assert done.body["model"] == HOUSE
        [call] = done.body["choices"][0]["message"]["tool_calls"]
        assert call["function"] | {"arguments": orjson.loads(call["function"]["arguments"])} == {
            "name": "lamp",
            "arguments": {"room": "kitchen"},
        }
    finally:
        await engine.close()


def _tool(name: str, about: str, argument: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {argument: {"type": "string"}}, "required": [argument]}
    return {"type": "function", "function": {"name": name, "description": about, "parameters": schema}}


def test_an_adapter_of_another_model_is_refused(base: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.gguf"
    other.write_bytes(base.read_bytes()[:1000])
    strange = random_adapter(tmp_path / "strange.gguf", other, 1)
    with pytest.raises(CorruptArtefact, match="tuned on another model") as refused:
        _engine(base, {"strange": strange})
    assert refused.value.code == "wrong_base"
    whole = tmp_path / "whole.gguf"
    writer = gguf.GGUFWriter(None, "llama")
    writer.write_header_to_file(whole)
    writer.write_kv_data_to_file()
    writer.close()
    with pytest.raises(CorruptArtefact, match="no adapter"):
        _engine(base, {"model": whole})
    with pytest.raises(CorruptArtefact, match="no GGUF"):
        _engine(base, {"broken": other})
    with pytest.raises(NotFound, match="missing"):
        _engine(base, {"missing": tmp_path / "missing.gguf"})
