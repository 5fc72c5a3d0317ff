"""Models that demonstrations train once, also where two of them begin together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from offchain.cli.demo.narrator import Narrator
from offchain.cli.demo.offers import DIGITS, prepare_offer
from offchain.commit.model_folder import write_model_folder
from offchain.commit.training import BuiltModel
from offchain.errors import ModelFolderError


def test_prepare_offer__another_process_publishes_meanwhile__its_model_is_taken(
    tmp_path: Path,
) -> None:
    def build(folder: Path) -> BuiltModel:
        theirs.append(DIGITS.build(folder).model)
        return DIGITS.build(folder)

    theirs: list[object] = []
    model = prepare_offer(tmp_path, replace(DIGITS, build=build), Narrator(print))
    assert len(theirs) == 1
    assert model.graph == theirs[0].graph  # type: ignore[attr-defined]
    assert prepare_offer(tmp_path, DIGITS, Narrator(print)).graph == model.graph


def test_write_model_folder__published_between_look_and_rename__said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = DIGITS.build(tmp_path / "theirs").model
    folder = tmp_path / "ours"
    rename = Path.rename

    def rename_late(self: Path, target: Path) -> Path:
        rename(tmp_path / "theirs", target)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", rename_late)
    with pytest.raises(ModelFolderError, match="exists already"):
        write_model_folder(folder, model.graph, model.weights, model.report, model.interface)
