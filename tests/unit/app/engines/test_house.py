"""When the adapter that ships is there, and what it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.engines.house import HOUSE_ADAPTER, housed
from core.settings import HOUSE, EmbeddedSettings

OTHER = Path("other.gguf")
MiB = 2**20


def test_the_packaged_model_chooses_tools_by_it() -> None:
    settings = housed(EmbeddedSettings())
    assert settings.adapters == {HOUSE: HOUSE_ADAPTER}
    assert (settings.adapter, settings.tool_adapter) == ("", HOUSE)


def test_it_ships_and_is_small_enough_for_git() -> None:
    assert 1 * MiB < HOUSE_ADAPTER.stat().st_size <= 15 * MiB


@pytest.mark.parametrize(
    "settings",
    [
        EmbeddedSettings(house=False),
        EmbeddedSettings(model="some/other.gguf"),
        EmbeddedSettings(model="some/other.gguf", adapters={"own": OTHER}, tool_adapter="own"),
        EmbeddedSettings(adapters={HOUSE: OTHER}, adapter=HOUSE),
    ],
    ids=["switched off", "another model", "another model's adapter", "another adapter of that name"],
)
def test_elsewhere_nothing_is_added(settings: EmbeddedSettings) -> None:
    assert housed(settings) is settings


def test_who_names_an_adapter_for_tools_gets_that_one() -> None:
    asked = EmbeddedSettings(adapters={"own": OTHER}, tool_adapter="own")
    assert housed(asked).tool_adapter == "own"
    assert housed(asked).adapters == {HOUSE: HOUSE_ADAPTER, "own": OTHER}
    everything = EmbeddedSettings(adapters={"own": OTHER}, adapter="own")
    assert housed(everything).tool_adapter == "own"


def test_it_can_be_named_for_everything() -> None:
    assert housed(EmbeddedSettings(adapter=HOUSE)).adapter == HOUSE
    with pytest.raises(ValueError, match="not among the adapters"):
        EmbeddedSettings(adapter=HOUSE, house=False)
