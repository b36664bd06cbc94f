from dataclasses import replace

import numpy as np
import pytest

from core.errors import InvalidInput
from tabular.recommend.blend import DEPTHS, WIDTH, Blend, scores
from tabular.recommend.features import COMPONENTS, PERSONAL, RELATIONS, Profile, features
from tabular.recommend.filters import only_again
from tabular.recommend.history import History
from tabular.recommend.model import Model
from tabular.recommend.purchases import Purchase, PurchaseLog, day_of
from tabular.recommend.recommender import Recommendation, Recommender, ranked
from tests.unit.tabular.recommend.conftest import BASKETS, BEGUN, EVERY, TITLES, bought, embed

NOW = BASKETS * EVERY + 10


def now(log: PurchaseLog) -> float:
    return log.end + 10


def items(found: list[Recommendation]) -> list[str]:
    return [each.item for each in found]


def test_everything_belongs_to_one_component() -> None:
    assert sorted(name for names in COMPONENTS.values() for name in names) == sorted((*RELATIONS, *PERSONAL))


def only(model: Model, name: str) -> Recommender:
    """One feature counts, whoever asks, and nothing else does."""
    weights = np.zeros((len(DEPTHS), WIDTH), np.float32)
    names = (*RELATIONS, *(f"own {each}" for each in RELATIONS), *PERSONAL)
    weights[:, names.index(name)] = 1
    return Recommender(replace(model, blend=Blend(weights)))


@pytest.mark.parametrize(
    ("feature", "component", "words"),
    [
        ("times", "repeat", "You bought this twice, last 5 days ago."),
        ("next", "sequence", "Often bought next after red tent a."),
        ("similar", "similar", "Customers who bought red tent a buy this as well."),
        ("taste", "taste", "Customers with a taste like yours buy this."),
        ("text", "text", "It is like red tent a."),
        ("ever", "popular", "Many customers buy this at the moment."),
    ],
)
def test_the_reason_is_what_lifts_the_item(
    model: Model, log: PurchaseLog, feature: str, component: str, words: str
) -> None:
    history = History().with_purchase(bought("x", "a0", NOW - 20)).with_purchase(bought("x", "a0", NOW - 5))
    excluding = [] if component == "repeat" else ["a0"]
    best, *_ = only(model, feature).recommend(history, now=day_of(BEGUN) + NOW, excluding=excluding)
    assert best.reason.component == component
    assert best.reason.words == words
    assert best.reason.because == (("a0",) if component in ("sequence", "similar", "text") else ())


def test_what_is_bought_again_and_again_comes_first(recommender: Recommender, log: PurchaseLog) -> None:
    best, *_ = recommender.recommend("c2", now=now(log))
    assert best.item == "a9"


def test_goods_of_the_other_kind_come_last(recommender: Recommender, log: PurchaseLog) -> None:
    for customer, kind in (("c2", "a"), ("c3", "b")):
        assert {item[0] for item in items(recommender.recommend(customer, 9, now=now(log)))} == {kind}


def test_what_follows_follows(recommender: Recommender, log: PurchaseLog) -> None:
    """`a1` follows `a0`, and only there: whoever has just bought `a0` is more likely to have it next."""
    day = now(log)
    chances = []
    for last in ("a0", "a3"):
        history = History().with_purchase(bought("x", last, NOW - 3))
        (found,) = recommender.recommend(history, 1, now=day, available=["a1"])
        values = scores(recommender.model.blend.row(1), features(recommender.model, profile(recommender, history, day)))
        places = recommender.model.places
        chances.append(values[places["a1"]] - values[places["a4"]])
        assert found.reason.component != "repeat"
    assert chances[0] > chances[1]


def profile(recommender: Recommender, history: History, day: float) -> Profile:
    return Profile.of(history, recommender.model.places, day)


def test_the_scores_are_chances_over_what_may_be_recommended(recommender: Recommender, log: PurchaseLog) -> None:
    everything = recommender.recommend("c2", 100, now=now(log))
    assert np.isclose(sum(each.score for each in everything), 1)
    assert [each.score for each in everything] == sorted((each.score for each in everything), reverse=True)
    (only,) = recommender.recommend("c2", now=now(log), available=["b3", "no such item"])
    assert (only.item, only.score) == ("b3", 1)


def test_filters(recommender: Recommender, log: PurchaseLog) -> None:
    day = now(log)
    own = recommender.history("c2").items
    assert "a9" not in items(recommender.recommend("c2", 100, now=day, excluding=["a9"]))
    assert not own.intersection(items(recommender.recommend("c2", 100, now=day, new_only=True)))
    assert own == {*items(recommender.recommend("c2", 100, now=day, filters=[only_again]))}
    assert recommender.recommend("c2", now=day, available=[]) == []
    with pytest.raises(InvalidInput, match="limit"):
        recommender.recommend("c2", 0, now=day)


def test_the_next_answer_knows_a_live_purchase(recommender: Recommender, log: PurchaseLog) -> None:
    assert recommender.recommend("stranger", now=now(log))[0].reason.component == "popular"
    recommender.fold(bought("stranger", "b3", NOW))
    recommender.fold(bought("stranger", "b3", NOW))
    first, *rest = recommender.recommend("stranger", 8, now=now(log))
    assert {each.item[0] for each in (first, *rest)} == {"b"}
    again = next(each for each in recommender.recommend("stranger", 30, now=now(log)) if each.item == "b3")
    assert again.reason.component != "repeat" or "once" in again.reason.words


def test_an_item_that_nobody_bought_is_found_by_its_text(recommender: Recommender, log: PurchaseLog) -> None:
    """Each new item is offered to the kind of customers whose goods it reads like, before the other new one."""
    for customer, kind, other in (("c2", "a", "b"), ("c3", "b", "a")):
        found = items(recommender.recommend(customer, 30, now=now(log)))
        assert found.index(f"new-{kind}") < found.index(f"new-{other}")


def test_a_wish_stands_in_for_a_history(recommender: Recommender, log: PurchaseLog) -> None:
    (wish,) = embed(["blue lamp"])
    red, blue = (
        next(each.score for each in recommender.recommend(History(), 30, now=now(log), wish=given) if each.item == "b3")
        for given in (embed(["red tent"])[0], wish)
    )
    assert blue > red
    # Who buys tents, and asks for lamps, gets lamps.
    asked = recommender.recommend("c0", 5, now=now(log), wish=wish)
    assert {each.item[0] for each in asked} <= {"b", "n"}
    assert {each.reason.words for each in asked} == {"It fits what you are looking for."}
    with pytest.raises(InvalidInput, match="wish"):
        recommender.recommend(History(), now=now(log), wish=[1.0])


def test_a_reason_names_what_led_there(recommender: Recommender, log: PurchaseLog) -> None:
    own = recommender.history("c2").items
    named = [each for each in recommender.recommend("c2", 30, now=now(log)) if each.reason.because]
    assert named
    for each in named:
        assert own.issuperset(each.reason.because)
        assert each.item not in each.reason.because
        assert TITLES[each.reason.because[0]] in each.reason.words


def test_a_model_without_texts_answers_too(model: Model, log: PurchaseLog) -> None:
    from tabular.recommend.training import train

    plain = Recommender(train(log))
    assert "new-a" not in plain.model.places
    assert {*items(plain.recommend(History(), 2, now=now(log)))} == {"a9", "b9"}


def test_the_same_moment_later_changes_nothing_but_a_later_one_does(model: Model) -> None:
    history = History().with_purchase(bought("x", "a3", NOW - 1))
    day = history.baskets[0].day
    near, far = (Profile.of(history, model.places, when) for when in (day + 1, day + 100))
    assert near.fresh[0] > far.fresh[0]
    assert (near.gap[0], far.gap[0]) == (1, 100)
    assert np.array_equal(near.recent, far.recent)


def test_a_profile_counts_baskets() -> None:
    lines = [("a", 0), ("a", 10), ("b", 10), ("unknown", 20)]
    history = History()
    for item, day in lines:
        history = history.with_purchase(bought("x", item, day))
    found = Profile.of(history, {"a": 4, "b": 7}, history.baskets[-1].day)
    assert found.own.tolist() == [4, 7]
    assert found.times.tolist() == [2, 1]
    assert found.last.tolist() == [0, 0]
    assert found.baskets == found.depth == 3
    whole = 1 + 0.7 + 0.7**2
    assert np.allclose(found.recent, [(0.7 + 0.7**2) / whole, 0.7 / whole])


def test_ranked_is_a_stable_sort() -> None:
    random = np.random.default_rng(3)
    for _ in range(50):
        values = random.integers(0, 6, 40).astype(np.float32)
        values[random.integers(0, 40, 5)] = -np.inf
        expected = [place for place in np.argsort(-values, kind="stable") if values[place] > -np.inf][:9]
        assert ranked(values, 9).tolist() == expected


def test_times_need_a_zone_before_anything_is_folded(recommender: Recommender) -> None:
    naive = bought("c2", "a3", 1).time.replace(tzinfo=None)
    before = recommender.history("c2")
    with pytest.raises(InvalidInput):
        recommender.fold(Purchase("c2", "a3", naive, "x"))
    assert recommender.history("c2") is before
