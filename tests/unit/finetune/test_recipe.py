from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInput
from finetune.recipe import Recipe, read_recipe

RECIPES = sorted((Path(__file__).parents[3] / "finetune" / "recipes").glob("*.yaml"))
GOOD = """
name: trial
licence: Apache-2.0
base: {model: some.gguf}
data: [{file: rows.jsonl}]
held_out: [{generator: tools-held-out, rows: 5}]
"""


def _read(tmp_path: Path, text: str) -> Recipe:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    return read_recipe(path)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_shipped_recipes_are_valid_and_named_by_their_file(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.name == path.stem
    assert recipe.about


def test_the_hash_follows_what_a_recipe_says_and_not_how(tmp_path: Path) -> None:
    one = _read(tmp_path, GOOD)
    same = _read(tmp_path, "# a comment\n" + "\n".join(sorted(GOOD.split("\n"))) + "\nseed: 0")
    other = _read(tmp_path, GOOD + "seed: 1")
    assert one.hash == same.hash != other.hash


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ("adapter: {rank: 0}", "adapter.rank"),
        ("adapter: {ranks: 4}", "adapter.ranks"),
        ("schedule: {precision: float8}", "schedule.precision"),
        ("export: {merged: [q9]}", "export.merged"),
        ("data: [{file: a, generator: b}]", "data.0"),
        ("data: [{generator: b}]", "data.0"),
        ("base: {model: x, layers: 2}", "base"),
        ("name: Not A Name", "name"),
        ("data: []", "data"),
        ("personal_data: sure", "personal_data"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, change: str, place: str) -> None:
    kept = [line for line in GOOD.strip().split("\n") if line.partition(":")[0] != change.partition(":")[0]]
    with pytest.raises(InvalidInput) as refused:
        _read(tmp_path, "\n".join([*kept, change]))
    assert refused.value.param is not None
    assert refused.value.param.startswith(place)


def test_what_is_no_recipe_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no YAML"):
        _read(tmp_path, "a: [")
    with pytest.raises(InvalidInput, match="the recipe"):
        _read(tmp_path, "- a list")
    with pytest.raises(InvalidInput, match="cannot read"):
        read_recipe(tmp_path / "none.yaml")
