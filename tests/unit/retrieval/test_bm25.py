from retrieval.bm25 import passage_terms, query_terms


def weights(title: str, headings: tuple[str, ...], text: str) -> dict[int, float]:
    return dict(zip(*passage_terms(title, headings, text), strict=True))


def test_title_and_headings_count_as_words() -> None:
    (warranty,) = query_terms("warranty")[0]
    assert warranty in weights("Warranty", (), "two years")
    assert warranty in weights("Tents", ("Care", "Warranty"), "two years")
    assert warranty not in weights("Tents", (), "two years")


def test_words_are_folded_to_their_stems() -> None:
    assert query_terms("Refunds refunded")[0] == query_terms("refund")[0]


def test_more_occurrences_weigh_more_but_less_and_less() -> None:
    (tent,) = query_terms("tent")[0]
    one, two, three = (weights("", (), "tent " * count + "pole " * (10 - count))[tent] for count in (1, 2, 3))
    assert two - one > three - two > 0


def test_the_same_word_weighs_less_in_a_longer_passage() -> None:
    (tent,) = query_terms("tent")[0]
    assert weights("", (), "tent " + "pole " * 20)[tent] > weights("", (), "tent " + "pole " * 200)[tent]


def test_a_query_of_stop_words_has_no_terms() -> None:
    assert query_terms("what is the of") == ([], [])
    assert query_terms("") == ([], [])


def test_a_repeated_query_word_counts_once() -> None:
    indices, values = query_terms("tent tent boat")
    assert len(indices) == 2 and values == [1.0, 1.0]
