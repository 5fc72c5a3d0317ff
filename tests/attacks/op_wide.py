"""Lies about quotients that saturate to 16 bits; their tables have 2^16 rows."""

from __future__ import annotations

from typing import Final

from offchain.prove.compile.layout import Wide
from offchain.prove.program import Residual
from tests.attacks import changes
from tests.attacks.attack import PRODUCT, ROOT, Attack, Model, forgetting
from tests.attacks.cheater import Tensors
from tests.attacks.weakening import Change
from tests.attacks.witness import last_requant, lie
from tests.vectors import operator_models as om

LIMIT: Final = 1 << 15


def gadget(model: Model) -> Wide:
    """Return the saturation's tensors."""
    wide = last_requant(model).wide
    assert wide is not None
    return wide


def wrapped(model: Model, tensors: Tensors) -> None:
    """Keep the low 16 bits of a quotient that is too large."""
    fill, wide = last_requant(model), gadget(model)
    tensors[wide.a][0], tensors[wide.b][0] = 1, 0
    tensors[fill.y][0] = tensors[wide.lo][0] - LIMIT


def wrong_side(model: Model, tensors: Tensors) -> None:
    """Saturate a quotient that is too large to the smallest number."""
    tensors[gadget(model).b][0] = tensors[last_requant(model).y][0] = -LIMIT


def saturated_early(model: Model, tensors: Tensors) -> None:
    """Saturate a quotient that is not too large: its low part is 2^16 too small."""
    fill, wide = last_requant(model), gadget(model)
    tensors[wide.hi][2] += 1
    tensors[wide.lo][2] -= 1 << 16
    tensors[wide.a][2], tensors[wide.b][2] = 0, LIMIT - 1
    tensors[fill.y][2] = LIMIT - 1


def other_result(model: Model, tensors: Tensors) -> None:
    """Claim a result that saturation does not give."""
    tensors[last_requant(model).y][0] -= 1


def side_unlooked(model: Model) -> Change:
    """Look (hi, a, b) up nowhere."""
    wide = gadget(model)
    return changes.unlooked(wide.hi, wide.a, wide.b)


def low_unranged(model: Model) -> Change:
    """Look lo up nowhere."""
    return changes.unlooked(gadget(model).lo)


def result_unchecked(model: Model) -> Change:
    """Do not compare the result with a lo + b."""
    relation = changes.relation_of(model.program, Residual.PRODUCT, last_requant(model).y)
    return changes.without_relation(relation)


ATTACKS: Final[tuple[Attack, ...]] = (
    forgetting("wrapped-saturation", 6, om.wide, lie(wrapped), side_unlooked, ROOT),
    forgetting("saturated-to-the-wrong-side", 6, om.wide, lie(wrong_side), side_unlooked, ROOT),
    forgetting("saturated-early", 5, om.wide, lie(saturated_early), low_unranged, ROOT),
    forgetting("unsaturated-result", 6, om.wide, lie(other_result), result_unchecked, PRODUCT),
)
