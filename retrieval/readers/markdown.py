"""Markdown files: CommonMark with tables and strikethrough, through markdown-it-py's tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from retrieval.readers import html
from retrieval.readers.decoding import decode
from retrieval.readers.draft import Draft
from retrieval.readers.text import ReadText, Source

# The parser handles nesting by recursion, and leaves out what is nested deeper than this (a list counts two).
_NESTING = 60
_parser = MarkdownIt("commonmark", {"maxNesting": _NESTING}).enable(["table", "strikethrough"])
# Parsing takes seconds per million characters, so a text that has no chance to be short enough is not parsed.
_MARKUP = 2
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(?P<fields>(?:.*\n)*?)(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_TITLE_FIELD = re.compile(r"^title:[ \t]*(?P<quote>[\"']?)(?P<title>.+?)(?P=quote)[ \t]*$", re.M)
_FIELD = re.compile(r"^[\w-]+:", re.M)
_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)")


def extract(source: Source) -> ReadText:
    """Read the text without its markup.

    Links and emphasis keep their words, images their alternative text, code its lines; HTML inside is read as
    HTML. Front matter is dropped; its `title` is used if no heading of level 1 gives one.
    Raises `UnreadableDocument` when blocks are nested too deep to be read whole.
    """
    text, title = decode(source), ""
    if len(text) > _MARKUP * source.limits.characters:
        raise source.too_large(f"has more than {_MARKUP * source.limits.characters:,} characters of Markdown")
    front = _FRONT_MATTER.match(text)
    if front and _FIELD.search(front["fields"]):
        text = text[front.end() :]
        found = _TITLE_FIELD.search(front["fields"])
        title = found["title"] if found else ""
    draft = Draft(source)
    tokens = _parser.parse(text)
    if any(token.nesting == 1 and token.level >= _NESTING - 1 for token in tokens):
        raise source.unreadable("has lists or quotations nested too deep")
    _Writer(draft).write(tokens)
    return draft.finish(title)


class _Writer:
    """Hands the blocks that the tokens describe to the draft."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._depth = -1
        self._items: list[int | None] = []  # for each open item, its mark once it has text
        self._rows: list[list[str]] = []

    def write(self, tokens: Sequence[Token]) -> None:
        block = ""
        for token in tokens:
            match token.type:
                case "heading_open" if token.level == 0:
                    block = token.tag
                case "paragraph_open" | "th_open" | "td_open" | "heading_open":
                    block = token.type
                case "inline":
                    self._inline(block, _words(token.children or []))
                case "bullet_list_open" | "ordered_list_open":
                    self._depth += 1
                case "bullet_list_close" | "ordered_list_close":
                    self._depth -= 1
                case "list_item_open":
                    self._items.append(None)
                case "list_item_close":
                    self._items.pop()
                case "table_open":
                    self._rows = []
                case "tr_open":
                    self._rows.append([])
                case "table_close":
                    self._draft.table(self._rows)
                case "fence" | "code_block":
                    self._draft.code(token.content)
                case "html_block":
                    html.write(token.content, self._draft)

    def _inline(self, block: str, text: str) -> None:
        if block in ("th_open", "td_open"):
            self._rows[-1].append(text)
        elif block.startswith("h") and block[1:].isdigit():
            self._draft.heading(int(block[1:]), text)
        elif not self._items:
            self._draft.paragraph(text)
        elif (mark := self._items[-1]) is not None:
            self._draft.more(mark, text)
        elif text.strip():
            self._items[-1] = self._draft.item(text, self._depth)


def _words(tokens: Sequence[Token]) -> str:
    words: list[str] = []
    hidden = ""
    for token in tokens:
        tag = _TAG.match(token.content) if token.type == "html_inline" else None
        if tag and tag[2].lower() in ("script", "style"):
            hidden = "" if tag[1] else tag[2]
        elif hidden:
            continue
        elif token.type == "hardbreak" or (tag and tag[2].lower() == "br"):
            words.append("\n")
        elif token.type == "softbreak":
            words.append(" ")
        elif token.type in ("text", "code_inline", "image"):
            words.append(token.content)
    return "".join(words)
