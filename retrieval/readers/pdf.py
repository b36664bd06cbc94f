"""PDF files, through pypdf. Runs in a child process: see `sandbox`."""

from __future__ import annotations

import io
import re
from collections import Counter
from itertools import chain

from pypdf import PdfReader
from pypdf.errors import DependencyError, PyPdfError

from retrieval.readers.draft import Draft, clean
from retrieval.readers.lines import blocks, join
from retrieval.readers.text import ReadText, Source

_DIGITS = re.compile(r"\d+")
# Titles that writing programs leave behind: a file's name, or nothing meant.
_NO_TITLE = re.compile(r"untitled.*|.*\.(docx?|pdf|indd|tex|dvi|pptx?|xlsx?|qxd|odt|md|html?)|microsoft word.*|", re.I)
_EDGE = 2  # lines at the top and at the foot of a page that may be a running header or footer


def extract(source: Source) -> ReadText:
    """Read the text layer, page after page, as paragraphs and list items under one section.

    Lines are joined to sentences, words hyphenated at a line's end to words, and what repeats at the edges of most
    pages (running headers, page numbers) is dropped. The title comes from the metadata if it looks like one.
    Raises `UnreadableDocument` when the file is damaged, needs a password, or has no text layer (a scan).
    """
    try:
        reader = PdfReader(io.BytesIO(source.content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise source.unreadable("is protected with a password")
        _check_pages(reader, source)
        title = clean(str((reader.metadata and reader.metadata.title) or ""))
        pages = _pages(reader, source)
    except DependencyError:
        raise source.unreadable("is encrypted") from None
    except PyPdfError as error:
        raise source.unreadable("is damaged: its pdf structure cannot be read") from error
    if not any(any(line.strip() for line in page) for page in pages):
        raise source.unreadable("has no text layer: it seems to be a scan, which needs text recognition first")
    draft = Draft(source, "" if _NO_TITLE.fullmatch(title) else title)
    for is_item, text in _across(_without_furniture(pages)):
        if is_item:
            draft.item(text)
        else:
            draft.paragraph(text)
    return draft.finish()


def _check_pages(reader: PdfReader, source: Source) -> None:
    """Refuse by what the file says of itself, before its tree of pages is walked, and by what it has."""
    most = source.limits.pages
    said = reader.root_object.get("/Pages", {}).get_object().get("/Count", 0)
    if (isinstance(said, int) and said > most) or len(reader.pages) > most:
        raise source.too_large(f"has more than {most:,} pages")


def _pages(reader: PdfReader, source: Source) -> list[list[str]]:
    pages, length = [], 0
    for page in reader.pages:
        text = page.extract_text()
        length += len(text)
        if length > source.limits.characters:
            raise source.too_large(f"has more than {source.limits.characters:,} characters of text")
        pages.append([line.rstrip() for line in text.replace("\u00ad\n", "").splitlines()])
    return pages


def _without_furniture(pages: list[list[str]]) -> list[list[str]]:
    """Drop lines at the edges of pages that stand, but for their digits, on more than half of at least three."""
    trimmed = [[line for line in page if line.strip()] for page in pages]
    edges = [{_shape(line) for line in page[:_EDGE] + page[-_EDGE:]} for page in trimmed]
    counts = Counter(chain.from_iterable(edges))
    furniture = {s for s, n in counts.items() if n >= 3 and n * 2 > len(pages)}
    kept = []
    for page in pages:
        filled = [at for at, line in enumerate(page) if line.strip()]
        edge = {at for at in filled[:_EDGE] + filled[-_EDGE:] if _shape(page[at]) in furniture}
        kept.append([line for at, line in enumerate(page) if at not in edge])
    return kept


def _shape(line: str) -> str:
    return _DIGITS.sub("#", " ".join(line.split()))


def _across(pages: list[list[str]]) -> list[tuple[bool, str]]:
    """The pages' blocks, where a paragraph that a page break cuts in two is one."""
    whole: list[tuple[bool, str]] = []
    for page in pages:
        for number, (is_item, text) in enumerate(blocks(page)):
            if number == 0 and whole and not is_item and text[:1].islower() and whole[-1][1][-1] not in ".!?:":
                whole[-1] = (whole[-1][0], join(whole[-1][1], text))
            else:
                whole.append((is_item, text))
    return whole
