"""The models that the demonstrations need: trained once, then found where they were left."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from offchain.cli.demo.narrator import Narrator
from offchain.errors import GraphError, InterfaceError, ModelFolderError

if TYPE_CHECKING:
    from offchain.commit.model_folder import PublishedModel
    from offchain.commit.training import BuiltModel

CHEAT_TITLE: Final = "Digits, served by a cheat (for trying a challenge)"
CHEAT_WORDS: Final = (
    "The only operator of this version runs cheaper weights than it was paid for, on purpose: "
    "doubt its answers, and see what becomes of its stake. "
)


@dataclass(frozen=True)
class Offer:
    """A model that is published as `folder`, and how it is made."""

    folder: str
    what: str
    build: Callable[[Path], BuiltModel]


def build_digits(folder: Path) -> BuiltModel:
    """Train and publish the digits network."""
    from offchain.commit.digits import build_digits_model

    return build_digits_model(folder)


def build_languages(folder: Path) -> BuiltModel:
    """Train and publish the network of languages."""
    from offchain.commit.languages import build_languages_model

    return build_languages_model(folder)


def build_cheated_digits(folder: Path) -> BuiltModel:
    """Train and publish another digits network, whose title says that a cheat serves it.

    Other weights make another model: title and labels are a model's, not a version's.
    """
    from dataclasses import replace

    from offchain.commit.digits import INTERFACE, build_digits_model

    words = CHEAT_WORDS + INTERFACE.description
    interface = replace(INTERFACE, name="digits-cheat", title=CHEAT_TITLE, description=words)
    return build_digits_model(folder, seed=1, interface=interface)


DIGITS: Final = Offer("mlp-digits", "digits network (real scans)", build_digits)
LANGUAGES: Final = Offer("mlp-languages", "network of languages (word lists)", build_languages)
CHEATED: Final = Offer("mlp-digits-cheat", "second digits network", build_cheated_digits)


def prepare_offer(models: Path, offer: Offer, narrator: Narrator) -> PublishedModel:
    """Return a model of the folder, trained and published there unless it is.

    One that cannot be read, or has no interface, because another release wrote it, is set aside.
    """
    model = _read(models / offer.folder, narrator)
    if model is None:
        narrator.say(f"training the {offer.what}, importing it, quantizing it")
        model = _build(models / offer.folder, offer, narrator)
    held_out = model.report["sets"]["heldOut"]
    narrator.say(
        f"model {offer.folder}: held-out accuracy {held_out['integerAccuracy']:.2%}, "
        f"integer and float agree on {held_out['agreement']:.2%}"
    )
    return model


def _build(folder: Path, offer: Offer, narrator: Narrator) -> PublishedModel:
    try:
        return offer.build(folder).model
    except ModelFolderError:
        # Another process was first: what it published appeared whole.
        model = _read(folder, narrator)
        if model is None:
            raise
        return model


def _read(folder: Path, narrator: Narrator) -> PublishedModel | None:
    from offchain.commit.model_folder import read_model_folder

    if not folder.exists():
        return None
    try:
        model = read_model_folder(folder)
    except (GraphError, InterfaceError, ModelFolderError):
        model = None
    if model is not None and model.interface is not None:
        return model
    aside = Path(tempfile.mkdtemp(prefix=f"{folder.name}-unreadable-", dir=folder.parent))
    folder.rename(aside / folder.name)
    narrator.say(f"the model in {folder} is of another release: moved to {aside}")
    return None
