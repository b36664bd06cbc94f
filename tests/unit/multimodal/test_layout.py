from core.media import Line
from multimodal.reading.layout import in_order, rows


def line(text: str, left: float, top: float, width: float = 100, height: float = 20, lean: float = 0.0) -> Line:
    right = left + width
    corners = (
        (left, top + lean * left),
        (right, top + lean * right),
        (right, top + height + lean * right),
        (left, top + height + lean * left),
    )
    return Line(text, corners, 0.9)


def texts(lines: list[Line]) -> list[str]:
    return [each.text for each in lines]


def test_side_by_side_is_one_row_although_the_heights_differ_a_little() -> None:
    assert texts(in_order([line("9.90", 300, 96), line("Total", 0, 100), line("Shop", 0, 0)])) == [
        "Shop",
        "Total",
        "9.90",
    ]


def test_a_leaning_photo_keeps_its_rows() -> None:
    lean = 0.06
    lines = [line(f"{row}{side}", x, 30 * row, lean=lean) for row in range(4) for side, x in (("a", 0), ("b", 600))]
    assert rows(lines) == [[0, 1], [2, 3], [4, 5], [6, 7]]


def test_columns_of_running_text_are_read_one_after_the_other_below_their_heading() -> None:
    lines = [line("heading", 0, 0, 600)]
    lines += [line(f"{side}{row}", x, 40 + 30 * row, 280) for row in range(4) for side, x in (("l", 0), ("r", 320))]
    assert texts(in_order(lines)) == ["heading", "l0", "l1", "l2", "l3", "r0", "r1", "r2", "r3"]


def test_a_column_of_amounts_belongs_to_its_rows() -> None:
    lines = [line(f"{kind}{row}", x, 30 * row, w) for row in range(4) for kind, x, w in (("i", 0, 300), ("p", 500, 60))]
    assert texts(in_order(lines)) == ["i0", "p0", "i1", "p1", "i2", "p2", "i3", "p3"]


def test_nothing_stays_nothing() -> None:
    assert in_order([]) == [] and rows([]) == []
