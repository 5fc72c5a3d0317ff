"""Train an MLP 256-32-7 with ReLU to tell the language of a text.

The data are seven word lists of BIP-39, 2,048 words each, which the package eth-account carries.
Every list is cut into words for training, for calibration and held out, so that no word is in two
parts; texts are single words and phrases drawn from a part. A word that two languages share is
left in both, as in life. These are word lists, not running text: function words and inflections
that sentences have are not among them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from offchain.errors import DatasetError
from offchain.model.mlp import Mlp, load_torch, make_mlp, seeded_single_thread
from offchain.model.text_encoding import LENGTH, encode_text

if TYPE_CHECKING:
    import torch

PACKAGE: Final = "eth-account"
# Language -> beginning of the SHA-256 of its list: other words would be another data set.
LISTS: Final[Mapping[str, str]] = {
    "english": "2f5eed53",
    "french": "ebc3959a",
    "spanish": "46846a5a",
    "italian": "d392c49f",
    "czech": "7e80e161",
    "japanese": "2eed0aef",
    "korean": "9e95f86c",
}
COUNT_MAX: Final = 7  # in phrases of four words hardly a count is larger
HIDDEN: Final = 32
EPOCHS: Final = 25
BATCH: Final = 512
LEARNING_RATE: Final = 0.005
WORST_CASE_PENALTY: Final = 1e-3  # per unit of the largest possible logit
HELD_OUT: Final = 400  # words of each language
CALIBRATION: Final = 300
TRAINING_PHRASES: Final = 1500  # of each language, beside every training word alone
TRAINING_SIZES: Final = (2, 3, 4, 6, 8)  # words of a phrase
HELD_OUT_PHRASES: Final = 300  # of each language
CALIBRATION_PHRASES: Final = 50  # the quantizer's search runs all of them for every choice
PHRASE_SIZES: Final = (2, 3, 4)
SPLIT_SEED: Final = 2026


@dataclass(frozen=True)
class Texts:
    """Counts (rows, 256) in 0..COUNT_MAX, and their languages (rows,) in the order of LISTS."""

    x: npt.NDArray[np.int64]
    y: npt.NDArray[np.int64]


@dataclass(frozen=True)
class LanguagesSplit:
    """A fixed split; no word is in two parts."""

    train: Texts
    calibration: Texts  # phrases of two to four words
    held_out: Texts  # phrases of two to four words
    held_out_words: Texts  # each word alone


def load_split() -> LanguagesSplit:
    """Return the split; raise DatasetError where the word lists are not those of BIP-39."""
    random = np.random.default_rng(SPLIT_SEED)
    held_out, calibration, train = [], [], []
    for language in LISTS:
        words: list[str] = random.permutation(read_words(language)).tolist()
        held_out.append(words[:HELD_OUT])
        calibration.append(words[HELD_OUT : HELD_OUT + CALIBRATION])
        train.append(words[HELD_OUT + CALIBRATION :])
    phrases = [_draw_phrases(w, TRAINING_PHRASES, TRAINING_SIZES, random) for w in train]
    return LanguagesSplit(
        train=_encode([[*w, *p] for w, p in zip(train, phrases, strict=True)]),
        calibration=_encode(
            [_draw_phrases(w, CALIBRATION_PHRASES, PHRASE_SIZES, random) for w in calibration]
        ),
        held_out=_encode(
            [_draw_phrases(w, HELD_OUT_PHRASES, PHRASE_SIZES, random) for w in held_out]
        ),
        held_out_words=_encode(held_out),
    )


def read_words(language: str) -> list[str]:
    """Return a language's list; raise DatasetError where it is missing or another one."""
    name = f"eth_account/hdaccount/wordlist/{language}.txt"
    try:
        # As a file: this floor reads data and does not import the package that they lie in.
        raw = distribution(PACKAGE).locate_file(name).read_bytes()  # type: ignore[attr-defined]
    except (PackageNotFoundError, OSError) as error:
        raise DatasetError(name, f"{type(error).__name__}: it comes with {PACKAGE}") from None
    if not hashlib.sha256(raw).hexdigest().startswith(LISTS[language]):
        raise DatasetError(name, "is not the list of BIP-39 that the model is made from")
    words: list[str] = raw.decode("utf-8").split()
    return words


def train_mlp(texts: Texts, seed: int = 0) -> Mlp:
    """Return the trained network, which takes counts.

    Deterministic for a seed on one machine; the caller's random state is left alone. Raises
    MissingDependencyError without torch.
    """
    torch = load_torch()
    x, y = torch.from_numpy(texts.x).double(), torch.from_numpy(texts.y)  # (N, 256), (N,)
    with seeded_single_thread(seed):
        mlp = make_mlp(LENGTH, HIDDEN, len(LISTS), COUNT_MAX)
        _descend(torch, mlp, x, y)
    mlp.center()
    return mlp


def _descend(torch: Any, mlp: Mlp, x: torch.Tensor, y: torch.Tensor) -> None:
    """Minimise cross-entropy plus the penalty by Adam in batches; x (N, 256), y (N,)."""
    parameters = [*mlp.first.parameters(), *mlp.second.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=LEARNING_RATE)
    steps = EPOCHS * -(-len(y) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(y)).split(BATCH):
            loss = torch.nn.functional.cross_entropy(mlp.logits(x[rows]), y[rows])
            loss = loss + WORST_CASE_PENALTY * mlp.worst_logit()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


def _draw_phrases(
    words: Sequence[str], count: int, sizes: Sequence[int], random: np.random.Generator
) -> list[str]:
    """Return `count` texts of so many words, drawn with equal chances."""
    return [" ".join(random.choice(words, random.choice(sizes))) for _ in range(count)]


def _encode(by_language: Sequence[Sequence[str]]) -> Texts:
    rows = [encode_text(text, COUNT_MAX) for texts in by_language for text in texts]
    classes = np.repeat(np.arange(len(by_language)), [len(texts) for texts in by_language])
    return Texts(np.stack(rows), classes.astype(np.int64))
