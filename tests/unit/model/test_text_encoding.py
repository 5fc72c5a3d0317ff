"""The text encoding is what its shared vectors say, letter by letter."""

from __future__ import annotations

import json
import unicodedata

import pytest

from offchain.model.text_encoding import ENCODING, LENGTH, encode_text, hash_window, split_words
from tests.vectors.text_encoding import FILE

VECTORS = json.loads(FILE.read_text(encoding="utf-8"))


def test_vectors__every_text_and_window__reproduced() -> None:
    assert VECTORS["encoding"] == ENCODING
    for entry in VECTORS["windows"]:
        assert hash_window(entry["points"]) == entry["hash"]
    for entry in VECTORS["texts"]:
        assert list(split_words(entry["text"])) == entry["words"], entry["text"]
        assert encode_text(entry["text"], VECTORS["hi"]).tolist() == entry["counts"], entry["text"]


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("Ärger", "arger"),
        ("ñ", "n"),
        ("naïve", unicodedata.normalize("NFD", "naïve")),
        ("カタカナ", "かたかな"),
        ("one,two", "one two"),
        ("x1y", "x y"),
    ],
)
def test_encode__different_spellings_of_the_same_letters__same_counts(
    written: str, same: str
) -> None:
    assert encode_text(written, 7).tolist() == encode_text(same, 7).tolist()


def test_encode__known_word__counted_by_hand() -> None:
    counts = encode_text("aa", 7)  # two letters; pairs: edge-a, a-a, a-edge
    assert counts.shape == (LENGTH,)
    assert counts[hash_window([0x61]) % 64] == 2
    assert (int(counts[:64].sum()), int(counts[64:].sum())) == (2, 3)


def test_encode__long_text__capped() -> None:
    assert encode_text("a" * 1000, 7).max() == 7
