from pathlib import Path

import pytest

from core.errors import InvalidInput, NotFound
from core.types import Audience
from edge import recipe
from edge.manifest import Kind

WHOLE = """
name = "assistant"
days = 14
[needs]
abis = ["arm64-v8a"]
memory = 5
[[artefact]]
id = "house"
kind = "adapter"
path = "house.gguf"
licence = "Apache-2.0"
peak_memory = 9
base = "chat"
card.tools_exact = { value = 0.91, low = 0.90, high = 0.93 }
[[artefact]]
id = "chat"
kind = "gguf"
model = "smollm2-135m-instruct"
peak_memory = 90
[snapshot]
audience = "staff"
peak_memory = 7
licence = "proprietary"
"""


def test_a_recipe_is_read_from_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "bundle.toml").write_text(WHOLE)
    read = recipe.read(tmp_path / "bundle.toml")
    house, chat = read.artefact
    assert (read.name, read.days, read.needs.abis) == ("assistant", 14, ("arm64-v8a",))
    assert (house.path, house.kind, house.card["tools_exact"].low) == (tmp_path / "house.gguf", Kind.ADAPTER, 0.9)
    assert (chat.path, chat.model) == (None, "smollm2-135m-instruct")
    assert read.snapshot is not None
    assert (read.snapshot.audience, read.snapshot.days) == (Audience.STAFF, 7)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("days = 14", "days = 0"), "days"),
        (("days = 14", "dayz = 14"), "dayz"),
        (('path = "house.gguf"', ""), r"artefact\.0.*a path or a model"),
        (("peak_memory = 90", ""), r"artefact\.1\.peak_memory"),
        (('kind = "gguf"', 'kind = "snapshot"'), r"artefact\.1.*\[snapshot\]"),
        (('audience = "staff"', 'audience = "all"'), r"snapshot\.audience"),
        (("[needs]", "[needs"), "not TOML"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(change: tuple[str, str], told: str, tmp_path: Path) -> None:
    (tmp_path / "bundle.toml").write_text(WHOLE.replace(*change))
    with pytest.raises(InvalidInput, match=told):
        recipe.read(tmp_path / "bundle.toml")


def test_an_empty_recipe_and_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "bundle.toml").write_text('name = "x"')
    with pytest.raises(InvalidInput, match="nothing in it"):
        recipe.read(tmp_path / "bundle.toml")
    with pytest.raises(NotFound):
        recipe.read(tmp_path / "gone.toml")
