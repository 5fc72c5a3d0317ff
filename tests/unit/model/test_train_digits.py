"""Training is deterministic, keeps to itself, and its penalty bounds what it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from offchain.model.train_digits import PIXEL_MAX, load_split, train_mlp


@pytest.fixture(autouse=True)
def few_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offchain.model.train_digits.EPOCHS", 20)


def test_train__same_seed_twice__same_bits_and_random_state_left_alone() -> None:
    digits = load_split().train
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    first, second, other = train_mlp(digits), train_mlp(digits), train_mlp(digits, seed=1)
    assert torch.equal(first.first.weight, second.first.weight)
    assert torch.equal(first.second.bias, second.second.bias)
    assert not torch.equal(first.first.weight, other.first.weight)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_worst_logit__random_corners_of_the_input_range__never_exceeded() -> None:
    mlp = train_mlp(load_split().train)
    corners = np.random.default_rng(3).choice(np.array([0.0, PIXEL_MAX]), (5000, 64))
    with torch.no_grad():
        worst = float(mlp.worst_logit())
        reached = float(mlp.logits(torch.from_numpy(corners)).abs().max())
    assert 0 < reached <= worst
