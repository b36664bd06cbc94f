from pathlib import Path
from typing import Any

import pytest

from core.database import Database
from core.errors import Conflict, CorruptArtefact, InvalidInput, NotFound, PromotionRefused
from core.gates import Interval, Metric
from core.registry import Registry
from core.versions import Alias, Kind, Lineage, Mode, Plan
from tests.fakes.candidates import MODEL, candidate, measured

CANARY = Plan(Mode.CANARY, 10)


@pytest.fixture
def registry(database: Database, tmp_path: Path) -> Registry:
    return Registry.of(database, tmp_path / "workspace")


async def test_a_version_keeps_everything_it_was_registered_with(registry: Registry, tmp_path: Path) -> None:
    made = await registry.register(candidate(tmp_path), "local:ada")
    found = await registry.version(MODEL, 1)
    assert found == made
    assert (found.kind, found.by, found.lineage.recipe) == (Kind.ADAPTER, "local:ada", "r" * 64)
    assert found.metrics == {"tools/exact": measured(0.86)}
    assert (await registry.files(found))["adapter.gguf"].read_text() == "weights"


async def test_the_same_bytes_and_lineage_are_the_same_version(registry: Registry, tmp_path: Path) -> None:
    first = await registry.register(candidate(tmp_path), "local:ada")
    again = await registry.register(candidate(tmp_path, card="another card"), "local:bob")
    assert again == first
    lineage = Lineage(base="b" * 64, data="e" * 64, recipe="r" * 64, code="abc1234")
    others = [
        await registry.register(candidate(tmp_path, "others"), "local:ada"),
        await registry.register(candidate(tmp_path, lineage=lineage), "local:ada"),
    ]
    assert [each.number for each in others] == [2, 3]
    assert [each.number for each in await registry.versions(MODEL)] == [3, 2, 1]


async def test_a_model_stays_of_its_kind(registry: Registry, tmp_path: Path) -> None:
    await registry.register(candidate(tmp_path), "local:ada")
    with pytest.raises(Conflict, match="of kind adapter, not gguf"):
        await registry.register(candidate(tmp_path, kind=Kind.GGUF), "local:ada")


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"model": "House Adapter"}, "model"),
        ({"files": {}}, "files"),
        ({"files": {"../adapter.gguf": Path("x")}}, "files"),
        ({"files": {"adapter.pkl": Path("x")}}, "files.adapter.pkl"),
        ({"files": {"adapter.gguf": Path("/nowhere/x.gguf")}}, "files.adapter.gguf"),
        ({"metrics": {"exact": Metric(Interval(0.5, 0.6, 0.7, 10))}}, "metrics.exact"),
        ({"metrics": {"": measured(0.5)}}, "metrics"),
        ({"metrics": {"ratio": measured(0.5, limit=float("inf"))}}, "metrics.ratio"),
        ({"card": "\0"}, "card"),
        ({"lineage": Lineage("", "", "r", "c")}, "lineage.data"),
    ],
)
async def test_a_candidate_that_cannot_be_is_refused_whole(
    registry: Registry, tmp_path: Path, changes: dict[str, Any], param: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await registry.register(candidate(tmp_path, **changes), "local:ada")
    assert refused.value.param == param
    assert await registry.models() == []


async def test_a_tampered_file_is_deleted_and_never_handed_out(registry: Registry, tmp_path: Path) -> None:
    made = await registry.register(candidate(tmp_path), "local:ada")
    held = (await registry.files(made))["adapter.gguf"]
    held.write_text("Weights")
    with pytest.raises(CorruptArtefact):
        await registry.files(made)
    with pytest.raises(NotFound, match="register it again"):
        await registry.files(made)
    assert await registry.register(candidate(tmp_path), "local:ada") == made
    assert (await registry.files(made))["adapter.gguf"].read_text() == "weights"


async def three(registry: Registry, folder: Path) -> None:
    for content, value in (("one", 0.86), ("two", 0.87), ("three", 0.70)):
        await registry.register(candidate(folder, content, metrics={"exact": measured(value)}), "local:ada")


async def test_a_worse_version_is_not_promoted_and_the_ledger_says_why(registry: Registry, tmp_path: Path) -> None:
    await three(registry, tmp_path)
    await registry.promote(MODEL, 1, "key_1", "the first")
    found = await registry.promote(MODEL, 2, "key_1", "better at tools")
    assert [each.words for each in found] == ["exact is no worse: 0.87 (0.85 to 0.89), the champion has 0.86"]
    with pytest.raises(PromotionRefused, match=r"exact is worse: 0\.7") as refused:
        await registry.promote(MODEL, 3, "key_2", "I like it")
    assert refused.value.findings[0].metric == "exact"
    assert (await registry.standing(MODEL)).champions == (1, 2)
    *_, promoted, last = await registry.history(MODEL)
    assert (promoted.action, promoted.before, promoted.after, promoted.by) == ("promote", 1, 2, "key_1")
    assert (last.action, last.after, last.why, last.by) == ("refuse", 3, "I like it", "key_2")
    assert last.findings == tuple(refused.value.findings)
    assert (await registry.verify()).broken is None


async def test_what_misses_its_limit_is_not_promoted_and_what_keeps_it_is(registry: Registry, tmp_path: Path) -> None:
    for content, value in (("stopped", 0.4), ("fairer", 0.85)):
        ratio = measured(value, gates=False, limit=0.8)
        made = await registry.register(
            candidate(tmp_path, content, metrics={"exact": measured(0.86), "fairness/ratio": ratio}), "local:ada"
        )
        assert (await registry.version(MODEL, made.number)).metrics["fairness/ratio"] == ratio
    with pytest.raises(PromotionRefused, match=r"fairness/ratio is 0\.4, and must be at least 0\.8") as refused:
        await registry.promote(MODEL, 1, "key_1", "the first")
    assert [each.metric for each in refused.value.findings if each.refuses] == ["fairness/ratio"]
    assert (await registry.standing(MODEL)).champion is None
    found = await registry.promote(MODEL, 2, "key_1", "the fairer one")
    assert not any(each.refuses for each in found)
    assert (await registry.standing(MODEL)).champion == 2


async def test_the_champion_is_not_promoted_again(registry: Registry, tmp_path: Path) -> None:
    await three(registry, tmp_path)
    await registry.promote(MODEL, 1, "key_1", "the first")
    with pytest.raises(Conflict, match="already"):
        await registry.promote(MODEL, 1, "key_1", "again")
    with pytest.raises(Conflict, match="champion 1 by now, not none"):
        await registry.promote(MODEL, 2, "key_1", "late", against=0)
    assert [each.action for each in await registry.history(MODEL)] == ["register"] * 3 + ["promote"]


async def test_rolling_back_goes_the_way_of_the_promotions(registry: Registry, tmp_path: Path) -> None:
    await three(registry, tmp_path)
    await registry.promote(MODEL, 1, "key_1", "the first")
    await registry.promote(MODEL, 2, "key_1", "better")
    assert (await registry.rollback(MODEL, Alias.CHAMPION, "key_1", "complaints")).champion == 1
    with pytest.raises(PromotionRefused, match="was rolled back"):
        await registry.promote(MODEL, 2, "key_1", "once more")
    assert (await registry.rollback(MODEL, Alias.CHAMPION, "key_1", "that one too")).champion is None
    with pytest.raises(Conflict, match="no champion"):
        await registry.rollback(MODEL, Alias.CHAMPION, "key_1", "and again")


async def test_a_challenger_is_tried_rolled_back_and_tried_again(registry: Registry, tmp_path: Path) -> None:
    await three(registry, tmp_path)
    await registry.promote(MODEL, 1, "key_1", "the first")
    tried = await registry.challenge(MODEL, 2, CANARY, "key_1", "see how it does")
    assert (tried.challenger, tried.plan, tried.champion) == (2, CANARY, 1)
    with pytest.raises(Conflict, match="the challenger is version 2"):
        await registry.rollback(MODEL, Alias.CHALLENGER, "wayside", "errors", number=3)
    gone = await registry.rollback(MODEL, Alias.CHALLENGER, "wayside", "errors", number=2)
    assert (gone.challenger, gone.plan, gone.barred, gone.champion) == (None, None, (2,), 1)
    with pytest.raises(PromotionRefused, match="has not been tried again"):
        await registry.promote(MODEL, 2, "key_1", "now")
    await registry.challenge(MODEL, 2, Plan(Mode.SHADOW), "key_1", "the server was at fault")
    await registry.promote(MODEL, 2, "key_1", "it was")
    standing = await registry.standing(MODEL)
    assert (standing.champion, standing.challenger, standing.plan) == (2, None, None)


@pytest.mark.parametrize(
    ("plan", "param"),
    [(Plan(Mode.CANARY, 0), "percent"), (Plan(Mode.CANARY, 51), "percent"), (Plan(Mode.SHADOW, 5), "percent")],
)
async def test_a_plan_that_compares_nothing_is_refused(
    registry: Registry, tmp_path: Path, plan: Plan, param: str
) -> None:
    await three(registry, tmp_path)
    with pytest.raises(InvalidInput) as refused:
        await registry.challenge(MODEL, 2, plan, "key_1", "try")
    assert refused.value.param == param


async def test_what_is_not_there_is_not_found(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no registered model"):
        await registry.standing("nobody")
    with pytest.raises(NotFound):
        await registry.promote("nobody", 1, "key_1", "why not")
    await three(registry, tmp_path)
    for number in (0, 4):
        with pytest.raises(NotFound, match=f"no version {number}"):
            await registry.challenge(MODEL, number, CANARY, "key_1", "try")
    with pytest.raises(InvalidInput, match="say why"):
        await registry.promote(MODEL, 1, "key_1", " ")
    assert (await registry.standing(MODEL)).champions == ()
