"""HTML files, through lxml: faster than the alternatives measured, and its nesting is bounded.

Measured on 1 MB of paragraphs: lxml with this walk 0.5 s, beautifulsoup4 over lxml 5.9 s. selectolax (lexbor) takes
99 s for 100,000 nested elements (500 KB), because its tree building looks through all open elements.
"""

from __future__ import annotations

import re

from lxml import etree
from lxml import html as lxml_html

from retrieval.readers.decoding import decode
from retrieval.readers.draft import Draft, clean, row_line
from retrieval.readers.text import ReadText, Source

# Not text, or text for finding one's way around a site.
_DROPPED = frozenset(
    "script style noscript template svg math head nav footer aside iframe object canvas audio video select button "
    "input textarea form-control datalist dialog map".split()
)
_BLOCKS = frozenset(
    "address article blockquote body center dd details dialog div dl dt fieldset figcaption figure form h1 h2 h3 h4 "
    "h5 h6 header hgroup hr html legend li main menu ol p pre search section summary table tbody td tfoot th thead "
    "tr ul caption".split()
)
# A table that holds these arranges a page; one without header cells does so too if its cells hold blocks.
_LAYOUT = etree.XPath(".//table | .//h1 | .//h2 | .//h3 | (.//p | .//ul | .//ol | .//div)[not(ancestor::table[1]//th)]")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_TOO_DEEP = "excessive depth"


def extract(source: Source) -> ReadText:
    """Read what a person would see of the page's content: scripts, styles, hidden parts and navigation are dropped.

    The title is the first `h1`, else `<title>`. Raises `UnreadableDocument` when elements are nested more than
    2,048 deep, where the parser stops.
    """
    markup = decode(source)
    root, complaint = _parse(markup)
    if _TOO_DEEP in complaint:
        raise source.unreadable("has HTML elements nested more than 2,048 deep")
    draft = Draft(source)
    title = ""
    if root is not None:
        title = root.findtext(".//title") or ""
        main = root.findall(".//main")
        _Walk(draft).over(main[0] if len(main) == 1 and "".join(main[0].itertext()).strip() else root)
    return draft.finish(title)


def write(fragment: str, draft: Draft) -> None:
    """Add a piece of HTML, such as a block inside Markdown, to the draft."""
    root, _ = _parse(fragment)
    if root is not None:
        _Walk(draft).over(root)


def _parse(markup: str) -> tuple[lxml_html.HtmlElement | None, str]:
    parser = lxml_html.HTMLParser(
        encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True, no_network=True
    )
    content = markup.encode("utf-8", "replace")
    root = etree.fromstring(content, parser) if content.strip() else None
    # The parser mends broken markup; of what it noted, only what made it stop is of interest.
    return root, " ".join(e.message for e in parser.error_log if e.level_name == "FATAL").lower()


class _Walk:
    """Goes through the elements in order, without recursion, and hands their blocks to the draft."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._words: list[str] = []
        self._depth = -1
        self._items: list[int | None] = []  # for each open item, its mark once it has text

    def over(self, root: etree._Element) -> None:
        walk = etree.iterwalk(root, events=("start", "end"))
        for event, element in walk:
            tag = str(element.tag)
            if event == "start":
                if self._enter(element, tag):
                    self._add(element.text)
                else:
                    walk.skip_subtree()
            else:
                self._leave(element, tag)
                if element is not root:
                    self._add(element.tail)
        self._flush()

    def _enter(self, element: etree._Element, tag: str) -> bool:
        """Begin an element; False when what it holds is dropped or has been dealt with."""
        if tag in _DROPPED or _hidden(element):
            return False
        if tag in _BLOCKS:
            self._flush()
        if tag == "pre":
            self._draft.code("".join(map(str, element.itertext())))
            return False
        if tag == "table" and not _LAYOUT(element):
            self._table(element)
            return False
        if tag in ("ul", "ol", "menu"):
            self._depth += 1
        elif tag == "li":
            self._items.append(None)
        elif tag == "br":
            self._words.append("\n")
        elif tag == "img":
            self._words.append(f" {element.get('alt', '')} ")
        elif tag in ("td", "th"):
            self._words.append(" ")
        return True

    def _leave(self, element: etree._Element, tag: str) -> None:
        if tag in _DROPPED or _hidden(element):
            return
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self._draft.heading(int(tag[1]), "".join(self._words))
            self._words.clear()
        elif tag in _BLOCKS:
            self._flush()
        if tag in ("ul", "ol", "menu"):
            self._depth -= 1
        elif tag == "li":
            self._items.pop()

    def _add(self, text: str | None) -> None:
        if text:
            self._words.append(re.sub(r"\s+", " ", text))

    def _flush(self) -> None:
        text = "".join(self._words)
        self._words.clear()
        if not text.strip():
            return
        if not self._items:
            self._draft.paragraph(text)
        elif (mark := self._items[-1]) is not None:
            self._draft.more(mark, text)
        else:
            self._items[-1] = self._draft.item(text, max(self._depth, 0))

    def _table(self, table: etree._Element) -> None:
        for caption in table.findall("caption"):
            self._draft.paragraph(" ".join(map(str, caption.itertext())))
        rows = [[cell for cell in row if cell.tag in ("td", "th")] for row in table.iter("tr")]
        rows = [row for row in rows if row]
        if not rows:
            self._draft.paragraph(_seen(table))
            return
        header = len(rows) > 1 and all(cell.tag == "th" for cell in rows[0])
        if not header and all(len(row) == 2 and row[0].tag == "th" for row in rows):
            named = [[row_line([clean(_seen(cell))], [clean(_seen(name))])] for name, cell in rows]
            self._draft.table(named, header=False)
            return
        self._draft.table([[_seen(cell) for cell in row] for row in rows], header=header)


def _hidden(element: etree._Element) -> bool:
    style = element.get("style")
    return (
        element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or bool(style and _HIDDEN.search(style))
    )


def _seen(element: etree._Element) -> str:
    """The words of a table's cell on one line."""
    words: list[str] = []
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, part in walk:
        if event == "start":
            if part.tag in _DROPPED or _hidden(part):
                walk.skip_subtree()
                continue
            words.append(part.text or "")
        elif part is not element:
            words.append((" " if part.tag in _BLOCKS or part.tag == "br" else "") + (part.tail or ""))
    return "".join(words)
