"""How many word pieces a text has, near enough to plan with, without a tokenizer."""

from __future__ import annotations

import re

# BERT's basic tokenizer parts a text at spaces and punctuation, and takes every CJK character alone.
_TOKEN = re.compile(r"[A-Za-z]+|\d+|[^\W\d_A-Za-z]+|[^\w\s]|_")


def estimate(text: str) -> int:
    """Return a number of BERT word pieces (uncased English vocabulary, without [CLS] and [SEP]) rarely exceeded.

    A run of Latin letters counts one for its first six and one for every further three; of digits, one for every
    two; any other letter or sign counts one. Measured against the vocabulary of all-MiniLM-L6-v2 on 3,700 stretches
    of 120 words (bank articles, encyclopedia, programmers' answers, source code), the true number was .80 to 1.00 of
    it in the median and at most 1.06 of it in 99 % (1.12 for source code).
    """
    total = 0
    for found in _TOKEN.finditer(text):
        length = found.end() - found.start()
        first = text[found.start()]
        if first.isascii() and first.isalpha():
            total += 1 + max(0, length - 4) // 3
        elif first.isascii() and first.isdigit():
            total += (length + 1) // 2
        else:
            total += length
    return total
