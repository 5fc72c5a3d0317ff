"""Write text_encoding.json: texts and their counts under the encoding `letter-pairs-1`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from offchain.model.text_encoding import ENCODING, encode_text, hash_window, split_words

FILE: Final = Path(__file__).parent / "text_encoding.json"
HI: Final = 7
TEXTS: Final = (
    "",
    " \t\n 123 !?",
    "a",
    "the quick brown fox jumps over the lazy dog",
    "THE Quick bRown",
    "Where is the station?",
    "l'œuvre déjà vue, à côté",
    "El niño pequeño está aquí",
    "Città più bella",
    "příliš žluťoučký kůň",
    "ﬁne ﬂight ½ Ⅷ",  # compatibility forms fall apart under NFKD
    "ひらがな がぎぐげご ぱぴぷ",
    "カタカナ ガギグ パピプ ｶﾞｷﾞ",
    "안녕하세요 세계",
    "e\u0301le\u0300ve e\u0323\u0301",  # marks that came apart already
    "漢字 кириллица mixed in",
    "a" * 40,  # capped counts
    "naïve-café/owner_42x",
    "\U0001f600 smile \U00010400",  # beyond the basic plane
    "\u0130stanbul \u0131ss \u1e9e",
)
WINDOWS: Final = (
    (0x61,),
    (0x3042,),
    (0x20, 0x61),
    (0x7A, 0x20),
    (0x1112, 0x1161),
    (0x304B, 0x3099),
)


def main() -> None:
    """Write the file anew."""
    document = {
        "encoding": ENCODING,
        "hi": HI,
        "windows": [{"points": list(w), "hash": hash_window(w)} for w in WINDOWS],
        "texts": [
            {
                "text": text,
                "words": list(split_words(text)),
                "counts": encode_text(text, HI).tolist(),
            }
            for text in TEXTS
        ],
    }
    FILE.write_text(json.dumps(document) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
