"""What makes an engine of a registered version, for each kind of model that the engines here can open."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from app.engines.embedded import EmbeddedEngine
from app.engines.protocol import Engine
from app.trials.variants import OpenVariant
from core.errors import InvalidInput
from core.modelstore import ModelStore
from core.settings import EmbeddedSettings
from core.versions import Kind, Version


def openers(settings: EmbeddedSettings, store: ModelStore) -> Mapping[Kind, OpenVariant]:
    """A GGUF is served by a second embedded engine with the settings of the first, an adapter by one on its base.

    A registered adapter serves every request, with tools and without.
    """

    async def gguf(version: Version, files: Mapping[str, Path]) -> Engine:
        plain = settings.model_copy(update={"adapters": {}, "tool_adapter": ""})
        return await asyncio.to_thread(EmbeddedEngine, plain, _only(version, files))

    async def adapter(version: Version, files: Mapping[str, Path]) -> Engine:
        tuned = settings.model_copy(
            update={"adapters": {version.model: _only(version, files)}, "tool_adapter": "", "adapter": version.model}
        )
        base = await asyncio.to_thread(store.path, settings.model)
        return await asyncio.to_thread(EmbeddedEngine, tuned, base)

    return {Kind.GGUF: gguf, Kind.ADAPTER: adapter}


def _only(version: Version, files: Mapping[str, Path]) -> Path:
    if len(files) != 1:
        told = f"{version.model} {version.number} has {len(files)} files: the embedded engine opens one GGUF"
        raise InvalidInput(told, param="version")
    (path,) = files.values()
    return path
