"""Text as a model's input: the encoding `letter-pairs-1`, counts of letters and of their pairs.

1. Unicode NFKD (UAX 15), which takes accents off letters, and Hangul apart into jamo.
2. Each code point is one of: a letter, dropped, or the end of a word.
   letter   a-z; A-Z, as a-z; Hangul jamo U+1100..U+11FF; Hiragana U+3041..U+3096 and its voicing
            marks U+3099, U+309A; Katakana U+30A1..U+30F6, as the Hiragana 0x60 below it
   dropped  combining marks U+0300..U+036F: many people type no accents
   end      everything else: spaces, digits, punctuation, other scripts
3. A word of n letters gives n windows of one letter and, framed by one U+0020 on each side, n + 1
   windows of two code points.
4. h = 32-bit FNV-1a (offset 2166136261, prime 16777619) of a window's bytes, each code point as two
   bytes, low byte first; g = h xor (h >> 15), the shift without sign. A letter counts in the bucket
   g mod 64, a pair in 64 + (g mod 192).
5. The input is the 256 counts, each capped at the model's largest input integer.

Shared test vectors: tests/vectors/text_encoding.json.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

ENCODING: Final = "letter-pairs-1"
LETTERS: Final = 64
PAIRS: Final = 192
LENGTH: Final = LETTERS + PAIRS
FNV_OFFSET: Final = 2166136261
FNV_PRIME: Final = 16777619
_MASK: Final = 0xFFFFFFFF
_FOLD: Final = 15  # mixes upper bits in, which alone decide a bucket of so few
_EDGE: Final = 0x20  # frames a word, so that its first and its last letter are pairs of their own
_KATAKANA_TO_HIRAGANA: Final = 0x60


def encode_text(text: str, hi: int) -> npt.NDArray[np.int64]:
    """Return the counts (256,) of a text's letters and pairs, each in 0..hi."""
    counts = np.zeros(LENGTH, dtype=np.int64)
    for word in split_words(text):
        for letter in word:
            counts[hash_window([letter]) % LETTERS] += 1
        framed = [_EDGE, *word, _EDGE]
        for pair in pairwise(framed):
            counts[LETTERS + hash_window(pair) % PAIRS] += 1
    return counts.clip(max=hi)


def split_words(text: str) -> Iterator[list[int]]:
    """Yield the words of a text as code points of letters; none is empty."""
    word: list[int] = []
    for point in map(ord, unicodedata.normalize("NFKD", text)):
        letter = _fold(point)
        if letter is not None:
            word.append(letter)
        elif not _is_dropped(point) and word:
            yield word
            word = []
    if word:
        yield word


def hash_window(window: Sequence[int]) -> int:
    """Return the 32-bit hash of code points below 2^16."""
    digest = FNV_OFFSET
    for point in window:
        for byte in point.to_bytes(2, "little"):
            digest = ((digest ^ byte) * FNV_PRIME) & _MASK
    return digest ^ digest >> _FOLD


def _fold(point: int) -> int | None:
    """Return the letter that a code point stands for, None where it is none."""
    if 0x41 <= point <= 0x5A:  # A-Z
        return point + 0x20
    if 0x30A1 <= point <= 0x30F6:
        return point - _KATAKANA_TO_HIRAGANA
    is_letter = (
        0x61 <= point <= 0x7A  # a-z
        or 0x1100 <= point <= 0x11FF
        or 0x3041 <= point <= 0x3096
        or point in (0x3099, 0x309A)
    )
    return point if is_letter else None


def _is_dropped(point: int) -> bool:
    return 0x0300 <= point <= 0x036F
