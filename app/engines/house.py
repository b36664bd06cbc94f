"""The adapter that ships with the packaged model, made by `finetune/recipes/house.yaml` and `house-further.yaml`."""

from __future__ import annotations

from pathlib import Path

from core.settings import HOUSE, EmbeddedSettings

HOUSE_ADAPTER = Path(__file__).parents[1] / "house" / "adapter.gguf"
"""A chooser of tools and a reader (`agents.reading`), for SmolLM2-135M-Instruct."""


def housed(settings: EmbeddedSettings) -> EmbeddedSettings:
    """The settings with the adapter that ships, where they name the packaged model.

    It is a model of its own name, and chooses tools unless another one is to.
    """
    if not settings.housed or HOUSE in settings.adapters:
        return settings
    chooses = settings.tool_adapter or settings.adapter or HOUSE
    return settings.model_copy(
        update={"adapters": {HOUSE: HOUSE_ADAPTER, **settings.adapters}, "tool_adapter": chooses}
    )
