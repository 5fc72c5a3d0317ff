"""Models made for one attack each; all are smaller than the shared ones."""

from __future__ import annotations

from dataclasses import replace

from offchain.prove.key import build_key
from offchain.prove.reference.curve import combine, encode
from offchain.prove.reference.srs import insecure_srs
from tests.vectors.models import SmallModel, Step, build


def narrow() -> SmallModel:
    """4-3; the input lies in [-20, 90], inside its type on both ends."""
    return build("narrow", 21, 1, 4, (Step(3, 8, "identity"),), lo=-20, hi=90)


def mixed() -> SmallModel:
    """4-2; range tables of two widths, the wider one for the output."""
    return build("mixed", 22, 1, 4, (Step(2, 9, "identity"),))


def single() -> SmallModel:
    """1-2: a contraction without variables, so a sum-check without rounds."""
    return build("single", 23, 1, 1, (Step(2, 8, "identity"),))


def padded() -> SmallModel:
    """Three rows, 5-3-3: padding in every axis."""
    steps = (Step(3, 6, "relu", clamp=(0, 31)), Step(3, 8, "identity"))
    return build("padded", 24, 3, 5, steps)


def twin() -> SmallModel:
    """8-4-3 whose first two hidden cells weigh the same in every output."""
    steps = (Step(4, 6, "relu", clamp=(0, 31)), Step(3, 8, "identity"))
    model = build("twin", 11, 1, 8, steps)
    weights = {name: values.copy() for name, values in model.weights.items()}
    weights["w1"][:, 1] = weights["w1"][:, 0]
    srs = insecure_srs(model.key.program.c)
    key = build_key(
        model.layout,
        weights,
        model.key.srs_id,
        lambda chunk: encode(combine(srs, [int(v) for v in chunk])),
    )
    return replace(model, weights=weights, key=key)


def level() -> SmallModel:
    """4-4-4-2: two layers of one shape in a row."""
    steps = (
        Step(4, 6, "relu", clamp=(0, 31)),
        Step(4, 8, "relu", clamp=(0, 127)),
        Step(2, 8, "identity"),
    )
    return build("level", 25, 1, 4, steps)
