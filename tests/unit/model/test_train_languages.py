"""The languages' data are split by word, bound by hash, and training on them is deterministic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from offchain.errors import DatasetError
from offchain.model import train_languages
from offchain.model.train_languages import LISTS, LanguagesSplit, load_split, read_words, train_mlp


@pytest.fixture(scope="module")
def split() -> LanguagesSplit:
    return load_split()


def test_load_split__sizes__of_every_language_alike(split: LanguagesSplit) -> None:
    for texts, each in (
        (split.train, 1348 + 1500),
        (split.calibration, 50),
        (split.held_out, 300),
        (split.held_out_words, 400),
    ):
        assert np.bincount(texts.y).tolist() == [each] * len(LISTS)
        assert texts.x.shape == (each * len(LISTS), 256)


def test_load_split__no_word_of_a_language__in_two_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    parts: list[list[set[str]]] = []

    def keep(by_language: list[Any]) -> str:
        parts.append([{word for text in texts for word in text.split()} for texts in by_language])
        return ""

    monkeypatch.setattr(train_languages, "_encode", keep)
    load_split()
    train, calibration, held_out, held_out_words = parts
    for k in range(len(LISTS)):
        assert not train[k] & calibration[k]
        assert not train[k] & held_out_words[k]
        assert not calibration[k] & held_out_words[k]
        assert held_out[k] <= held_out_words[k]


def test_train__same_seed_twice__same_bits_and_random_state_left_alone(
    split: LanguagesSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_languages, "EPOCHS", 1)
    state = torch.random.get_rng_state()
    first, second = train_mlp(split.calibration), train_mlp(split.calibration)
    other = train_mlp(split.calibration, seed=1)
    assert torch.equal(first.first.weight, second.first.weight)
    assert not torch.equal(first.first.weight, other.first.weight)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_read_words__another_list__refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(LISTS, "english", "00000000")  # type: ignore[index]
    with pytest.raises(DatasetError, match=r"english\.txt: is not the list"):
        read_words("english")
    monkeypatch.setattr(train_languages, "PACKAGE", "no-such-package")
    with pytest.raises(DatasetError, match="it comes with"):
        read_words("french")
