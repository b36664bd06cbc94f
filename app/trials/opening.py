"""What makes an engine of a registered version, for each kind of model that the engines here can open."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from app.engines.embedded import EmbeddedEngine
from app.engines.protocol import Engine
from app.trials.variants import OpenVariant
from core.errors import InvalidInput
from core.settings import EmbeddedSettings
from core.versions import Kind, Version


def openers(settings: EmbeddedSettings) -> Mapping[Kind, OpenVariant]:
    """A GGUF is served by a second embedded engine, with the settings of the first."""

    async def gguf(version: Version, files: Mapping[str, Path]) -> Engine:
        if len(files) != 1:
            told = f"{version.model} {version.number} has {len(files)} files: the embedded engine opens one GGUF"
            raise InvalidInput(told, param="version")
        return await asyncio.to_thread(EmbeddedEngine, settings, *files.values())

    return {Kind.GGUF: gguf}
