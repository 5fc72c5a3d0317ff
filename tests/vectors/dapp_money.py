"""Vectors of parameters, prices and the settlement table for the web page (dapp.py).

There is no other Python of prices and settlement: they are restated here in fractions, and
tests/contracts/DappVectors.t.sol holds the same file against the contracts' libraries.
"""

from __future__ import annotations

from dataclasses import astuple
from fractions import Fraction
from math import ceil, floor
from typing import Any, Final

import numpy as np
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.params.presets import PRESETS
from tests.vectors.encoding import hexed

COUNT: Final = 40
GWEI: Final = 10**9
WIDTHS: Final = "uint40 uint40 uint40 uint40 uint40 uint40 uint40 uint16 uint16 uint64 uint64 "
WIDTHS_REST: Final = (
    "uint64 uint64 uint40 uint40 uint40 uint40 uint40 uint8 uint16 uint16 uint16 uint8 uint64"
)


def parameter_vectors() -> list[dict[str, Any]]:
    """Return every preset and the hash that its contracts name."""
    types = [f"({','.join((WIDTHS + WIDTHS_REST).split())})"]
    found = []
    for name, preset in PRESETS.items():
        fields = {to_camel(field): value for field, value in vars(preset).items()}
        digest = keccak(encode(types, [astuple(preset)]))
        found.append({"name": name, "parameters": fields, "hash": hexed(digest)})
    return found


def to_camel(name: str) -> str:
    """Return snake_case as camelCase."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def price_vectors(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return locks, bonds, proof fees, deliveries and deadlines under the preset `local`."""
    p, found = PRESETS["local"], []
    for _ in range(COUNT):
        fee, base_fee = int(rng.integers(1, 1 << 60)), int(rng.integers(0, 50 * GWEI))
        seconds, gas = int(rng.integers(1, 60)), int(rng.integers(1, p.max_proof_gas))
        output, open_challenges = int(rng.integers(1, 1 << 20)), int(rng.integers(0, 4))
        price = max(base_fee, p.gas_price_floor)
        proving = seconds * p.proving_price
        found.append(
            {
                "fee": str(fee),
                "baseFee": str(base_fee),
                "proveSeconds": seconds,
                "proofGas": str(gas),
                "outputBytes": output,
                "openChallenges": open_challenges,
                "gasPrice": str(price),
                "lock": str(
                    max(p.lock_fees * fee, ceil(Fraction(3 * p.dispute_gas * price * 100, 35)))
                ),
                "bond": str(ceil(Fraction(3, 2) * (proving + 3 * gas * price))),
                "proofFee": str(proving + gas * price),
                "delivery": str((60_000 + 60 * output) * price),
                "proveBy": min(
                    p.prove_cap_seconds, p.prove_seconds + seconds * (open_challenges + 1)
                ),
            }
        )
    return found


EXITS: Final = (
    "FINAL",
    "PROVEN",
    "REJECTED",
    "EXPIRED",
    "FAILED",
    "CANCELLED",
    "REFUSED",
    "VOIDED",
)
JOB_PARTS: Final = (
    "feeToOperator",
    "feeToClient",
    "feeToModelOwner",
    "feeToKeeper",
    "feeToBurn",
    "lockToOperator",
    "lockToClient",
    "lockToKeeper",
    "lockToBurn",
    "lockHeld",
)


def settlement_vectors(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return random dues and where each exit sends them."""
    found = []
    for k in range(COUNT):
        lock = int(rng.integers(1, 1 << 60))
        dues = {
            "fee": int(rng.integers(1, 1 << 60)),
            "delivery": int(rng.integers(0, 1 << 50)),
            "lock": lock,
            "fine": int(rng.integers(0, lock + 1)),
            "isDelivered": bool(rng.integers(2)),
            "hasKeeper": bool(rng.integers(2)),
            "royaltyBps": int(rng.integers(0, 2001)),
            "protocolFeeBps": int(rng.integers(0, 4001)),
            "keeperTipBps": int(rng.integers(0, 4001)),
        }
        name = EXITS[k % len(EXITS)]
        found.append(
            {
                "exit": name,
                "dues": {key: v if isinstance(v, bool) else str(v) for key, v in dues.items()},
                "split": {key: str(v) for key, v in split_job(name, dues).items()},
            }
        )
    return found


def split_job(name: str, dues: dict[str, Any]) -> dict[str, int]:
    """Return the row of the settlement table (protocol.md A.6, A.16), written as it reads."""
    share = lambda bps: floor(Fraction(dues["fee"] * bps, 10_000))  # noqa: E731
    tip = share(dues["keeperTipBps"]) if dues["hasKeeper"] else 0
    parts = dict.fromkeys(JOB_PARTS, 0)
    if name in ("FINAL", "PROVEN"):
        royalty, burned = share(dues["royaltyBps"]), share(dues["protocolFeeBps"])
        delivered = dues["delivery"] if dues["isDelivered"] else 0
        parts |= {"feeToModelOwner": royalty, "feeToKeeper": tip, "feeToBurn": burned}
        parts["feeToOperator"] = dues["fee"] - royalty - tip - burned + delivered
        parts["feeToClient"] = dues["delivery"] - delivered
        parts["lockToOperator"] = dues["lock"]
        return parts
    parts["feeToClient"] = dues["fee"] + dues["delivery"]
    if name == "REJECTED":
        parts["lockHeld"] = dues["lock"]
    elif name == "FAILED":
        half = dues["fine"] // 2
        parts["lockToClient"], parts["lockToKeeper"] = half, min(tip, dues["fine"] - half)
        parts["lockToBurn"] = dues["fine"] - half - parts["lockToKeeper"]
        parts["lockToOperator"] = dues["lock"] - dues["fine"]
    else:
        parts["lockToOperator"] = dues["lock"]
        if name == "EXPIRED":
            parts["feeToClient"] -= tip
            parts["feeToKeeper"] = tip
    return parts


def slash_vectors(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return slashed locks and bonds: 40/35/25 or 80/10/5/5 of the lock, 80/20 of the bonds."""
    found = []
    for k in range(16):
        lock, bonds = int(rng.integers(1, 1 << 60)), int(rng.integers(1, 1 << 60))
        is_cured, has_challengers, is_proven = bool(k & 1), bool(k & 2), bool(k & 4)
        part = lambda percent, whole=lock: floor(Fraction(whole * percent, 100))  # noqa: E731
        operator = part(80) if is_cured else 0
        client = part(10) if is_cured else part(40)
        challengers = (part(5) if is_cured else part(35)) if has_challengers else 0
        defender = part(80, bonds) if is_proven else 0
        found.append(
            {
                "lock": str(lock),
                "isCured": is_cured,
                "hasChallengers": has_challengers,
                "slash": {
                    "toOperator": str(operator),
                    "toClient": str(client),
                    "toChallengers": str(challengers),
                    "toBurn": str(lock - operator - client - challengers),
                },
                "bonds": str(bonds),
                "isProven": is_proven,
                "bondSplit": {
                    "toChallengers": str(0 if is_proven else bonds),
                    "toDefender": str(defender),
                    "toBurn": str(bonds - defender if is_proven else 0),
                },
            }
        )
    return found
