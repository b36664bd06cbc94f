import numpy as np
import pytest
from scipy.sparse import csr_matrix

from tabular.recommend import relations
from tabular.recommend.factors import Factors, fit_factors
from tabular.recommend.neighbours import Neighbours
from tabular.recommend.popularity import SMOOTHING, popularity
from tabular.recommend.purchases import PurchaseLog, day_of
from tabular.recommend.references import References
from tabular.recommend.relations import RETURNING, UNSEEN, by_customer, cosine, ease, transitions
from tests.unit.tabular.recommend.conftest import BEGUN, bought

RANDOM = np.random.default_rng(1)
BOUGHT = csr_matrix((RANDOM.random((30, 12)) < 0.3).astype(np.float32))


def dense(found: Neighbours) -> np.ndarray:
    count = len(found.ids)
    one = np.ones(1, np.float32)
    return np.stack([found.total(np.array([row]), one) for row in range(count)]).reshape(count, count)


def test_neighbours_keep_the_strongest_and_nothing_below_zero() -> None:
    found = Neighbours.of_rows(np.array([[0, 3, 1, 2], [-1, -2, 0, 5]], np.float32), kept=2)
    assert {*found.ids[0].tolist()} == {1, 3}
    assert found.weights[1].tolist().count(0) == 1
    assert found.weights.max() == 5


def test_a_total_is_the_weighted_sum_of_rows_and_towards_its_parts() -> None:
    matrix = RANDOM.random((6, 6)).astype(np.float32)
    found = Neighbours.of_rows(matrix, kept=6)
    rows, shares = np.array([0, 2, 5]), np.array([1, 0.5, 2], np.float32)
    assert np.allclose(found.total(rows, shares), shares @ matrix[rows])
    assert np.allclose(found.towards(4, rows, shares), shares * matrix[rows, 4])


def test_cosine_is_the_shrunk_cosine(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = BOUGHT.toarray()
    shared = matrix.T @ matrix
    buyers = shared.diagonal()
    expected = shared / (np.sqrt(np.outer(buyers, buyers)) + 4)
    np.fill_diagonal(expected, 0)
    # In blocks smaller than the matrix, as a large catalogue is.
    monkeypatch.setattr(relations, "_BLOCK", 5)
    assert np.allclose(dense(cosine(BOUGHT, shrinkage=4)), expected, atol=1e-6)


def test_ease_minimises_what_it_promises() -> None:
    """The closed form is the least of squared error plus ridge, under a diagonal of zero: nothing near is less."""
    matrix, ridge = BOUGHT.toarray().astype(np.float64), 5.0
    gram = matrix.T @ matrix + ridge * np.eye(12)
    inverse = np.linalg.inv(gram)
    best = np.eye(12) - inverse / np.diag(inverse)

    def loss(weights: np.ndarray) -> float:
        return float(((matrix - matrix @ weights) ** 2).sum() + ridge * (weights**2).sum())

    for _ in range(20):
        nudge = RANDOM.normal(0, 0.01, (12, 12))
        np.fill_diagonal(nudge, 0)
        assert loss(best) < loss(best + nudge)
    assert np.allclose(dense(ease(BOUGHT, ridge)), np.maximum(best, 0), atol=1e-5)


def test_ease_leaves_out_what_sells_least() -> None:
    found = ease(BOUGHT, 5.0, dense=4)
    sold = np.asarray(BOUGHT.sum(axis=0)).ravel()
    told = np.flatnonzero(found.weights.sum(axis=1))
    assert 0 < len(told) <= 4
    assert sold[told].min() >= np.sort(sold)[-4]
    assert {*found.ids[found.weights > 0].tolist()} <= {*np.argsort(-sold, kind="stable")[:4].tolist()}


def test_transitions_follow_time_within_a_customer() -> None:
    log = PurchaseLog.of(
        [bought("c", "x", 1), bought("c", "y", 2), bought("c", "x", 3), bought("d", "y", 1), bought("e", "z", 9)]
    )
    following, returns = transitions(log)
    found = dense(following)
    x, y, z = 0, 1, 2
    # x came once before a later basket, and so did y: half a basket of x later on counts `FADING` (lag 2).
    assert np.isclose(found[x, y], 1 / (1 + UNSEEN))
    assert np.isclose(found[y, x], 1 / (1 + UNSEEN))
    assert found[z].sum() == found[:, z].sum() == 0
    assert np.isclose(returns[x], (0.5 + UNSEEN * RETURNING) / (1 + UNSEEN))
    assert np.isclose(returns[z], RETURNING)


def test_factors_tell_two_crowds_apart_and_fold_in_a_stranger() -> None:
    customers, items = [], []
    for customer in range(40):
        for item in RANDOM.choice(6, 3, replace=False):
            customers.append(customer)
            items.append(item + 6 * (customer % 2))
    found = fit_factors(np.array(customers, np.int32), np.array(items, np.int32), 12, size=4)
    scores = found.items @ found.taste(np.array([1, 2]))
    assert scores[:6].min() > scores[6:].max()


def test_the_taste_solves_its_normal_equations() -> None:
    goods = RANDOM.normal(0, 1, (7, 3)).astype(np.float32)
    found = Factors.of(goods, alpha=10, ridge=2)
    own = np.array([1, 4])
    confidence = np.ones(7)
    confidence[own] += 10
    wanted = np.isin(np.arange(7), own).astype(float)
    left = (goods.T * confidence) @ goods + 2 * np.eye(3)
    assert np.allclose(left @ found.taste(own), (goods.T * confidence) @ wanted, atol=1e-3)


def test_popularity_fades_by_days_and_leaves_nothing_impossible() -> None:
    now = day_of(BEGUN) + 30
    log = PurchaseLog.of([bought("a", "old", 0), bought("b", "old", 0), bought("c", "fresh", 29)])
    week, _, ever = np.exp(popularity(log, now))
    fresh, old = 0, 1
    assert week[fresh] > week[old]
    assert ever[old] > ever[fresh]
    assert np.isclose(ever[fresh], (1 + SMOOTHING) / (3 + 2 * SMOOTHING))


def test_the_references_are_what_they_are_called(log: PurchaseLog) -> None:
    found = References.of(log, log.end + 1)
    matrix = by_customer(log).toarray()
    shared = matrix.T @ matrix
    root = np.sqrt(shared.diagonal())
    expected = shared / np.outer(root, root)
    np.fill_diagonal(expected, 0)
    assert np.allclose(found.likeness.toarray(), expected, atol=1e-6)
