from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from core.errors import CorruptArtefact, InvalidInput
from tabular.recommend.blend import DEPTHS, WIDTH, Blend, parts, prior, scores
from tabular.recommend.features import PERSONAL, RELATIONS, Features, Profile, features
from tabular.recommend.history import History, first_baskets, histories
from tabular.recommend.learning import Example, _case, learn
from tabular.recommend.model import Model
from tabular.recommend.neighbours import Neighbours
from tabular.recommend.purchases import PurchaseLog
from tabular.recommend.storing import FILE, load, save
from tabular.recommend.training import HORIZON, NOTHING, Catalogue, examples, relate, train
from tests.unit.tabular.recommend.conftest import TITLES, bought, embed, shop

RANDOM = np.random.default_rng(2)


def example(depth: int = 1, items: int = 12) -> Example:
    own = np.sort(RANDOM.choice(items, 3, replace=False))
    relations = RANDOM.normal(0, 1, (len(RELATIONS), items)).astype(np.float32)
    personal = RANDOM.normal(0, 1, (len(PERSONAL), 3)).astype(np.float32)
    return Example(depth, Features(relations, own, personal), np.array([own[0], 5]))


def test_gradient_and_curvature_are_those_of_the_likelihood() -> None:
    given = example()
    weights = RANDOM.normal(0, 0.3, WIDTH)
    _, push, bend = _case(weights.astype(np.float32), given)
    for place in range(WIDTH):
        step = np.zeros(WIDTH)
        step[place] = 1e-2
        up, down = (_case((weights + way * step).astype(np.float32), given) for way in (1, -1))
        assert np.isclose((up[0] - down[0]) / 2e-2, push[place], atol=3e-3)
        assert np.allclose((up[1] - down[1]) / 2e-2, bend[place], atol=3e-3)


def test_the_weights_that_made_the_baskets_are_found_again() -> None:
    truth = np.zeros(WIDTH, np.float32)
    truth[RELATIONS.index("season")], truth[RELATIONS.index("taste")] = 1.5, -1.0
    made = []
    for _ in range(600):
        found = example().features
        logits = scores(truth, found)
        chances = np.exp(logits) / np.exp(logits).sum()
        made.append(Example(4, found, RANDOM.choice(12, 1, p=chances / chances.sum())))
    weights = learn(made, evidence=1.0).row(9)
    assert np.allclose(weights, truth, atol=0.35)
    assert weights[RELATIONS.index("season")] > 1.2


def test_little_evidence_leaves_the_weights_of_all() -> None:
    many = [example(depth=4) for _ in range(60)]
    few = [example(depth=1)]
    blend = learn([*many, *few], evidence=1e6)
    assert np.allclose(blend.row(1), blend.row(4), atol=1e-2)
    assert np.allclose(learn([]).weights, np.tile(prior(), (len(DEPTHS), 1)))


def test_the_depth_chooses_the_row() -> None:
    blend = Blend(np.arange(len(DEPTHS), dtype=np.float32)[:, None])
    assert [int(blend.row(depth)[0]) for depth in (0, 1, 2, 3, 4, 90)] == [0, 1, 2, 2, 3, 3]


def test_the_parts_of_a_score_sum_to_it() -> None:
    """Between any two items the parts differ by what their scores do: a reason leaves nothing out."""
    given = example().features
    weights = RANDOM.normal(0, 1, WIDTH).astype(np.float32)
    values = scores(weights, given)
    sums = np.array([sum(parts(weights, given, item).values()) for item in range(12)])
    assert np.allclose(sums - sums[0], values - values[0], atol=1e-4)


def test_nothing_of_the_future_is_learned(log: PurchaseLog) -> None:
    """Whatever is bought from the cut on, the model of the cut is the same, to the bit."""
    cut = log.end - 40
    other = PurchaseLog.of([*shop(), *(bought(f"c{each}", "later", 130) for each in range(30))])
    titles = {item: title for item, title in TITLES.items() if not item.startswith("new")}
    before, after = (train(each, Catalogue(titles, embed), now=cut) for each in (log.before(cut), other))
    assert before.items == after.items
    assert np.array_equal(before.blend.weights, after.blend.weights)
    assert np.array_equal(before.factors.items, after.factors.items)
    assert np.array_equal(before.next.weights, after.next.weights)


def test_examples_are_first_baskets_with_what_was_known_before_the_cut(log: PurchaseLog) -> None:
    now = log.end + 1
    found = examples(log, NOTHING, now=now)
    cut = now - HORIZON
    past, future = histories(log.before(cut)), first_baskets(log.since(cut))
    model = relate(log, NOTHING, now=cut)
    customer = next(iter(future))
    profile = Profile.of(past.get(customer, History()), model.places, future[customer].day)
    assert np.array_equal(found[0].features.relations, features(model, profile).relations)
    assert {model.items[place] for place in found[0].bought} == {*future[customer].items}
    assert len(found) > len(future)


def test_an_empty_log_teaches_nothing() -> None:
    with pytest.raises(InvalidInput, match="no purchases"):
        train(PurchaseLog.of([]))


def test_a_single_basket_is_enough() -> None:
    model = train(PurchaseLog.of([bought("c", "x", 0), bought("c", "y", 0)]))
    assert model.items == ("x", "y")
    assert np.isfinite(scores(model.blend.row(0), features(model, Profile.of(History(), model.places, 0)))).all()


def test_a_stored_model_is_the_same_model(model: Model, log: PurchaseLog, tmp_path: Path) -> None:
    one = save(model, tmp_path / "one")
    again = load(one)
    assert save(again, tmp_path / "two")[FILE].read_bytes() == one[FILE].read_bytes()
    profile = Profile.of(histories(log)["c2"], model.places, log.end)
    assert np.array_equal(features(model, profile).relations, features(again, profile).relations)
    assert (again.items, again.titles, again.trained) == (model.items, model.titles, model.trained)


def test_broken_files_are_refused(model: Model, tmp_path: Path) -> None:
    files = save(model, tmp_path)
    whole = files[FILE].read_bytes()
    for broken in (b"", whole[:-20], whole[: len(whole) // 2], b"{}", b"[1]", b"\xff" + whole[1:]):
        files[FILE].write_bytes(broken)
        with pytest.raises(CorruptArtefact):
            load(files)
    save_file({"next_ids": np.zeros(3)}, files[FILE], {"model": "{}"})
    with pytest.raises(CorruptArtefact):
        load(files)
    save_file({"next_ids": np.zeros(3)}, files[FILE], {"model": '{"format": 1}'})
    with pytest.raises(CorruptArtefact, match="format 1"):
        load(files)
    with pytest.raises(CorruptArtefact):
        load({})


def test_numbers_that_do_not_fit_together_are_refused(model: Model, tmp_path: Path) -> None:
    count = len(model.items)
    broken = {
        "points to an item": replace(model, next=Neighbours(model.next.ids + count, model.next.weights)),
        "similar": replace(model, similar=Neighbours(model.similar.ids, model.similar.weights[:, 1:])),
        "next items": replace(model, next=Neighbours(model.next.ids[1:], model.next.weights)),
        "titles": replace(model, titles=model.titles[1:]),
        "number that is none": replace(model, returns=model.returns * np.float32(np.nan)),
        "no recommendation model": replace(model, factors=replace(model.factors, items=np.array(1, np.float32))),
    }
    for words, each in broken.items():
        with pytest.raises(CorruptArtefact, match=words):
            load(save(each, tmp_path))
