"""Lies about convolution: its windows, its border, its groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Final

import numpy as np

from offchain.prove.reference.field import R, inverse
from offchain.prove.reference.transcript import (
    TAG_CONTRACT,
    TAG_LINK,
    TAG_LINK_ROUND,
)
from tests.attacks import changes
from tests.attacks import frozen_claims as fc
from tests.attacks.attack import (
    CONTRACTION,
    FOLDS,
    LINK,
    NO_FOLDS,
    NO_LINK,
    Attack,
    Model,
    following,
    forgetting,
    proving,
)
from tests.attacks.op_requant import false_output
from tests.attacks.op_sums import flipped_ties, giving, honest_acc, identity_dropped, value
from tests.attacks.protocol import draws_before
from tests.attacks.weakening import Change, constant_challenge, unabsorbed
from tests.attacks.witness import (
    lie,
)
from tests.vectors import operator_models as om
from tests.vectors.models import Array


def convolved(model: Model, image: Array, stride: int) -> Array:
    """Convolve an image, with its border, by the model's weights; same size of result."""
    op: Any = next(op for op in model.layout.graph.ops if op.name == "a")
    w = model.weights[op.w]
    rows, columns, _ = honest_acc(model).shape
    acc = np.zeros((rows, columns, w.shape[0]), dtype=np.int64)
    for h, v in np.ndindex(rows, columns):
        patch = image[h * stride : h * stride + 3, v * stride : v * stride + 3]
        acc[h, v] = np.einsum("oabc,abc->o", w, patch)
    return acc + (0 if op.b is None else model.weights[op.b])


def replicated(model: Model) -> Array:
    """Repeat the image's border instead of padding it with zeros."""
    return convolved(model, np.pad(value(model, "x"), ((1, 1), (1, 1), (0, 0)), "edge"), 1)


def shifted(model: Model) -> Array:
    """Let every patch begin one cell too late, as if there were no padding."""
    return convolved(model, np.pad(value(model, "x"), ((0, 2), (0, 2), (0, 0))), 1)


def unstrided(model: Model) -> Array:
    """Move by one cell instead of two."""
    return convolved(model, np.pad(value(model, "x"), ((1, 1), (1, 1), (0, 0))), 1)


def other_group(model: Model) -> Array:
    """Give each channel the other one's result."""
    b = model.weights["b"]
    acc: Array = (honest_acc(model) - b)[..., ::-1] + b
    return acc


def other_axes(**changed: Any) -> Callable[[Model], Change]:
    """Return the program whose links look through other windows."""
    return lambda _: changes.with_link(
        lambda x: replace(x, height=replace(x.height, **changed), width=replace(x.width, **changed))
    )


class FalseWindow(fc.FalseOperand):
    """Send a false window, with which the contraction ends as it should."""

    def last_operand(self, sent: Any) -> int:
        """Take the first window."""
        return self.program.links[0].window


class KnowsLinkRound(FalseWindow):
    """Bend the link's first message to the false window."""

    bends = (TAG_LINK_ROUND,)


class FalseImage(FalseWindow):
    """Send a false image value as well, with which the link ends as it should."""

    phase: ClassVar[int] = TAG_CONTRACT

    def amend(self, tag: int, sent: Any) -> None:
        """Move the window, then the image."""
        if tag == TAG_CONTRACT:
            super().amend(tag, sent)
        if tag == TAG_LINK:
            self.__class__.phase = TAG_LINK
            self.move(sent[-1], self.rest())
            self.__class__.phase = TAG_CONTRACT


class CancellingWindows(fc.FalseOperand):
    """Send two false windows, with which the contraction ends; at omega = 1 they cancel."""

    def amend(self, tag: int, sent: Any) -> None:
        """Move the windows in opposite directions."""
        if tag != TAG_CONTRACT:
            return
        one, other = (link.window for link in self.program.links)
        slope = self.slope(one) - self.slope(other)
        step = self.rest() * inverse(slope) % R
        self.slots[one] = (self.slots[one] + step) % R
        self.slots[other] = (self.slots[other] - step) % R


def draws_before_omega(model: Model) -> int:
    """Return how many challenges precede omega."""
    return draws_before(model, 1) + 1 + model.program.contraction_rounds


ATTACKS: Final = (
    Attack(
        "omega-without-randomness", 3, proving(lie(false_output), CancellingWindows), *LINK,
        lambda: constant_challenge(draws_before_omega(om.convolved_twice()), 1),
        om.convolved_twice,
    ),
    forgetting(
        "replicated-border", 7, om.conv_padded, giving(replicated), identity_dropped, CONTRACTION
    ),
    following(
        "shifted-window", 10, om.conv_padded, giving(shifted), other_axes(pad=0), LINK
    ),
    following(
        "wrong-stride", 10, om.conv_strided, giving(unstrided), other_axes(stride=1), LINK
    ),
    following(
        "wrong-group", 10, om.conv_grouped, giving(other_group), flipped_ties, CONTRACTION
    ),
    Attack(
        "false-window", 10, proving(lie(false_output), FalseWindow), *LINK, NO_LINK,
        om.conv_padded,
    ),
    Attack(
        "link-round-before-message", 10, proving(lie(false_output), KnowsLinkRound), *LINK,
        partial(unabsorbed, TAG_LINK_ROUND), om.conv_padded,
    ),
    Attack(
        "false-image", 2, proving(lie(false_output), FalseImage), *FOLDS, NO_FOLDS,
        om.conv_committed,
    ),
)  # fmt: skip
