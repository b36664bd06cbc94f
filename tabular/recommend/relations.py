"""What goes with what, and what follows what: item-to-item relations from baskets, with scipy.

`cosine` is item-item similarity with shrinkage (J. Herlocker et al., SIGIR 1999, damp what few customers tell);
`ease` the linear autoencoder with a closed form (H. Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW
2019); `transitions` the chance of an item in the next baskets, given one in this (decayed Markov transitions).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from tabular.recommend.neighbours import Neighbours
from tabular.recommend.purchases import PurchaseLog

SHRINKAGE = 10.0
"""Customers that a pair of items is taken to lack: a cosine of few is worth little."""

RIDGE = 300.0
"""EASE's penalty, in customers (H. Steck, Embarrassingly Shallow Autoencoders for Sparse Data, 2019)."""

DENSE = 6_000
"""Items that EASE takes, the best sold: its inverse has the square of that many numbers (288 MB)."""

REACH = 3
"""Baskets after one that count as following it."""

FADING = 0.5
"""How much less each further basket counts."""

UNSEEN = 5.0
"""Baskets without a successor that every item is taken to have: its transitions are shrunk by them."""

RETURNING = 0.1
"""The chance of an item being bought again that stands for `UNSEEN`'s part of an item's own baskets."""

_BLOCK = 1_000


def by_customer(log: PurchaseLog) -> csr_matrix:
    """Who bought what: ones, (customers, items)."""
    return _ones(log.customer, log.item, (len(log.customers), len(log.items)))


def by_basket(log: PurchaseLog) -> csr_matrix:
    """What was in which basket: ones, (baskets, items)."""
    return _ones(log.basket, log.item, (len(log.baskets), len(log.items)))


def cosine(bought: csr_matrix, shrinkage: float = SHRINKAGE) -> Neighbours:
    """Which items the same customers buy, given `by_customer`; no item is its own neighbour."""
    buyers = np.asarray(bought.sum(axis=0)).ravel()
    root = np.sqrt(buyers)
    blocks = []
    for start, shared in _products(bought, bought):
        width = len(shared)
        likeness = shared / np.maximum(root[start : start + width, None] * root + shrinkage, 1e-9)
        likeness[np.arange(width), np.arange(start, start + width)] = 0
        blocks.append(Neighbours.of_rows(likeness.astype(np.float32)))
    return Neighbours.stacked(blocks)


def ease(bought: csr_matrix, ridge: float = RIDGE, dense: int = DENSE) -> Neighbours:
    """Which items tell of which, given `by_customer`. Items beyond the `dense` best sold have no neighbours."""
    count = bought.shape[1]
    sold = np.asarray(bought.sum(axis=0)).ravel()
    chosen = np.sort(np.argsort(-sold, kind="stable")[:dense])
    part = bought[:, chosen]
    gram = (part.T @ part).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += ridge
    inverse = np.linalg.inv(gram)
    weights = (-inverse / np.diag(inverse)).astype(np.float32)
    np.fill_diagonal(weights, 0)
    found = Neighbours.of_rows(weights)
    ids = np.zeros((count, found.ids.shape[1]), np.int32)
    strengths = np.zeros(ids.shape, np.float32)
    ids[chosen], strengths[chosen] = chosen[found.ids], found.weights
    return Neighbours(ids, strengths)


def transitions(log: PurchaseLog) -> tuple[Neighbours, NDArray[np.float32]]:
    """What follows each item in the next `REACH` baskets of a customer, and how often it is bought again (items,).

    Row i holds, for each other item, the faded number of later baskets with it over the baskets with i that had any
    later one; the chance of being bought again is the same for i itself. Both are shrunk.
    """
    baskets = by_basket(log)
    owner = np.zeros(len(log.baskets), np.int32)
    owner[log.basket] = log.customer
    number = np.arange(len(owner))
    later = csr_matrix(baskets.shape, dtype=np.float32)
    for lag in range(1, REACH + 1):
        first = number[:-lag][owner[:-lag] == owner[lag:]] if lag < len(owner) else number[:0]
        shift = csr_matrix((np.ones(len(first), np.float32), (first, first + lag)), shape=(len(owner), len(owner)))
        later = later + FADING ** (lag - 1) * (shift @ baskets)
    followed = number[:-1][owner[:-1] == owner[1:]]
    seen = np.asarray(baskets[followed].sum(axis=0)).ravel()
    blocks, again = [], []
    for start, counts in _products(baskets, later):
        rows = np.arange(len(counts))
        places = rows + start
        again.append((counts[rows, places] + UNSEEN * RETURNING) / (seen[places] + UNSEEN))
        counts[rows, places] = 0
        blocks.append(Neighbours.of_rows((counts / (seen[places, None] + UNSEEN)).astype(np.float32)))
    return Neighbours.stacked(blocks), np.concatenate(again).astype(np.float32)


def _ones(rows: NDArray[np.int32], columns: NDArray[np.int32], shape: tuple[int, int]) -> csr_matrix:
    matrix = csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
    # What stands twice was summed.
    matrix.data[:] = 1
    return matrix


def _products(left: csr_matrix, right: csr_matrix) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """The product of the first, turned, and the second, some rows at a time: the whole may not fit in memory."""
    turned = left.T.tocsr()
    for start in range(0, turned.shape[0], _BLOCK):
        yield start, (turned[start : start + _BLOCK] @ right).toarray()
