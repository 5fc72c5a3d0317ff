"""Attacks on the form of a submission: replays, false statements, malformed bytes."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from offchain.prove.reference.transcript import TAG_STATEMENT
from tests.attacks import misfits as mis
from tests.attacks.attack import (
    LAYER,
    NO_COORDINATE_BOUND,
    NO_END,
    NO_SCALAR_BOUND,
    TRUNCATED,
    Attack,
    proving,
    without_field,
)
from tests.attacks.forgeries import JOB
from tests.attacks.weakening import unabsorbed

# -------------------------------------------------------------------- statements

OTHER_ACCOUNT: Final = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
OTHER_WORD: Final = bytes(31) + b"\1"

# What the verifiers do not know and the transcript alone binds.
REPLAYS: Final[dict[str, Any]] = {
    "job_id": JOB + 1,
    "prover": OTHER_ACCOUNT,
    "challenge_seed": OTHER_WORD,
    "market": OTHER_ACCOUNT,
    "model_version": OTHER_WORD,
}
# What the verifiers compare with the key and the public bytes, and with what they were made for.
MISSTATEMENTS: Final[dict[str, tuple[Any, str]]] = {
    "format": (1, "UnsupportedFormat(uint256)"),
    "mode": (2, "UnsupportedMode(uint256)"),
    "shard": (1, "UnsupportedShard(uint256)"),
    "program_hash": (OTHER_WORD, "WrongProgram(bytes32,bytes32)"),
    "srs_id": (OTHER_WORD, "WrongSrs(bytes32,bytes32)"),
    "op_range": (1, "WrongOpRange(uint256,uint256)"),
    "in_digest": (OTHER_WORD, "WrongInputDigest(bytes32,bytes32)"),
    "out_digest": (OTHER_WORD, "WrongOutputDigest(bytes32,bytes32)"),
}

ATTACKS: Final = (
    # ---- replays: honest proofs, other statements
    *(
        Attack(
            f"replay-{name.replace('_', '-')}",
            12 if name == "challenge_seed" else 11,
            partial(mis.replayed, **{name: value}),
            *LAYER,
            partial(unabsorbed, TAG_STATEMENT),
            everywhere=True,
        )
        for name, value in REPLAYS.items()
    ),
    Attack(
        "replay-chain",
        11,
        partial(mis.replayed, chain_id=1),
        *LAYER[:2],
        "WrongChain(uint256,uint256)",
        partial(unabsorbed, TAG_STATEMENT),
    ),
    Attack(
        "replay-verifier",
        11,
        partial(mis.replayed, verifier=OTHER_ACCOUNT),
        *LAYER[:2],
        "WrongVerifier(address,address)",
        partial(unabsorbed, TAG_STATEMENT),
    ),
    Attack(
        "replay-other-input",
        1,
        lambda m: mis.replayed_for_other_tensor(m, 0),
        *LAYER,
        everywhere=True,
    ),
    Attack(
        "replay-other-output",
        1,
        lambda m: mis.replayed_for_other_tensor(m, 1),
        *LAYER,
        everywhere=True,
    ),
    # ---- statements that are not the job's: proven as they stand, all else honest
    *(
        Attack(
            f"statement-{name.replace('_', '-')}",
            1,
            partial(mis.proven_for, **{name: value}),
            f"{name} does not match",
            f"{name} does not match",
            error,
            without_field(name),
        )
        for name, (value, error) in MISSTATEMENTS.items()
    ),
    # ---- form
    Attack(
        "trailing-bytes",
        9,
        lambda m: mis.reshaped(m, lambda p: p + bytes(1)),
        "trailing",
        "trailing",
        "TrailingBytes(uint256)",
        NO_END,
        everywhere=True,
    ),
    Attack(
        "truncated", 9, lambda m: mis.reshaped(m, lambda p: p[:-1]), *TRUNCATED, everywhere=True
    ),
    Attack("empty", 9, lambda m: mis.reshaped(m, lambda _: b""), *TRUNCATED),
    Attack("missing-layer", 9, mis.missing_layer, *LAYER),
    Attack("extra-round-element", 10, mis.extra_round_element, *LAYER, everywhere=True),
    Attack(
        "long-scalar",
        9,
        proving(lambda m: m.tensors(), mis.LongScalar),
        "scalar",
        "scalar",
        "NonCanonicalScalar(uint256)",
        NO_SCALAR_BOUND,
        everywhere=True,
    ),
    Attack(
        "long-coordinate",
        9,
        proving(lambda m: m.tensors(), mis.LongCoordinate),
        "coordinate",
        "coordinate",
        "InvalidPoint(uint256)",
        NO_COORDINATE_BOUND,
        everywhere=True,
    ),
    Attack(
        "off-curve-point",
        9,
        lambda m: mis.reshaped(m, mis.off_curve),
        "curve",
        "curve",
        "InvalidPoint(uint256)",
        everywhere=True,
    ),
    Attack(
        "long-input",
        9,
        lambda m: mis.resized_public(m, 0),
        "bytes, expected",
        "bytes, expected",
        "WrongInputLength(uint256,uint256)",
        everywhere=True,
    ),
    Attack(
        "long-output",
        9,
        lambda m: mis.resized_public(m, 1),
        "bits, expected",
        "bits, expected",
        "WrongOutputLength(uint256,uint256)",
        everywhere=True,
    ),
)
