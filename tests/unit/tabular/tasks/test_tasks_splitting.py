import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tabular.tasks.splitting import folds, same


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=60), st.integers(0, 3))
def test_equal_rows_are_never_parted(rows: list[tuple[int, bool]], seed: int) -> None:
    texts = {"a": [str(value) for value, _ in rows], "b": ["x" for _ in rows]}
    alike = same(texts)
    found = folds(alike, np.array([each for _, each in rows]), 3, seed=seed)
    for value in set(texts["a"]):
        assert len({int(fold) for fold, own in zip(found, texts["a"], strict=True) if own == value}) == 1


def test_a_row_is_equal_only_in_all_columns() -> None:
    assert same({"a": ["1", "1", None, "1"], "b": ["2", None, "2", "2"]}).tolist() == [0, 1, 2, 0]


def test_every_fold_has_its_share_of_the_positive() -> None:
    target = np.arange(1000) < 203
    found = folds(np.arange(1000), target, 5, seed=4)
    for fold in range(5):
        assert 40 <= target[found == fold].sum() <= 41
        assert 199 <= (found == fold).sum() <= 201
    assert not np.array_equal(found, folds(np.arange(1000), target, 5, seed=5))
    assert np.array_equal(found, folds(np.arange(1000), target, 5, seed=4))
