"""`python -m tests.game.vectors`: write tests/vectors/game.jsonl, which GameReplay.t.sol plays.

The first line is the scene, each other a play. A play is a byte string, one record a step:

    u16 now | u8 actor | u8 move | u8 kind of key | u8 a | u8 b | u8 value | u8 is_refused
    | u8 job state | u8 n | n x (u8 kind | u8 a | u8 b | u8 phase)

Kinds of keys: 0 none, 1 search of challenger a, 2 operator a's element b. Behind all steps stands
what operator, client, honest, other, stranger and burn gained since the commit: six i128.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np

from offchain.model.execution import Execution
from offchain.model.graph import Graph
from offchain.model.operators import Linear, Requant, TensorSpec, WeightSpec
from offchain.model.weights import IntArray
from offchain.trace.plan import Plan, build_plan, weight_roots
from offchain.trace.recorder import Tensors, record_trace
from tests.game.covering import (
    HONEST_CLAIMS,
    REAL_FAULTS,
    Play,
    Step,
    list_claims,
    list_plays,
)
from tests.game.rules import RULES
from tests.game.world import LAYER_OPS, LAYERS, TERMS

PATH: Final = Path(__file__).parents[1] / "vectors" / "game.jsonl"
ACTORS: Final = ("operator", "client", "honest", "other", "stranger")
ACCOUNTS: Final = (*ACTORS, "burn")
VALUES: Final = ("", "layers", "ops", "broken", 0, 1, "last", "past")
JOBS: Final = ("COMMITTED", "DISPUTED", "FINAL", "PROVEN", "REJECTED")
PHASES: Final = (
    "NONE", "TRACE", "REVEAL", "SELECT", "LEAF", "DEFENDER_PROVEN", "FRAUD_PROVEN", "DEFAULT",
    "CHALLENGER_TIMEOUT", "CANCELLED", "CURED",
)  # fmt: skip
NAMES: Final = tuple(RULES)
NO_FAULT: Final = 255


def encode_play(play: Play) -> bytes:
    """Return a play's bytes."""
    world = play.steps[-1].world
    gains = b"".join(world.balance(a).to_bytes(16, "big", signed=True) for a in ACCOUNTS)
    return b"".join(_encode_step(step) for step in play.steps) + gains


def _encode_step(step: Step) -> bytes:
    move, world = step.move, step.world
    head = struct.pack(
        ">HBBBBBBBB",
        world.now,
        ACTORS.index(move.actor),
        NAMES.index(move.name),
        *_encode_key(move.key),
        VALUES.index(move.value),
        step.is_refused,
        JOBS.index(world.job),
    )
    phases = b"".join(bytes((*_encode_key(d.key), PHASES.index(d.phase))) for d in world.disputes)
    return head + bytes([len(world.disputes)]) + phases


def _encode_key(key: Sequence[str | int]) -> tuple[int, int, int]:
    if not key:
        return 0, 0, 0
    if isinstance(key[0], str):
        name = str(key[1]) if key[0] == "search" else key[0]
        if key[0] != "pin":
            return 1, ACTORS.index(name), 0
        key = key[1:]
    return 2, int(key[0]), int(key[1])


def build_graph() -> Graph:
    """Return 8 layers of 2 neurons: the operators that the model's rules number."""
    ops: list[Linear | Requant] = []
    source, weights = "x", []
    for k in range(LAYERS * LAYER_OPS):
        ops.append(Linear(f"a{k}", source, f"w{k}", None))
        ops.append(Requant(f"y{k}", f"a{k}", 1, 8, (8,), 8, "identity", 8, -128, 127))
        weights.append(WeightSpec(f"w{k}", (2, 2), 8))
        source = f"y{k}"
    return Graph((TensorSpec("x", (1, 2), 8, -128, 127),), source, tuple(weights), tuple(ops))


def build_scene() -> tuple[Graph, dict[str, IntArray], Plan]:
    """Return the graph, its weights, and its plan in layers of four operators."""
    graph = build_graph()
    rng = np.random.default_rng(6)
    weights: dict[str, IntArray] = {
        w.name: rng.choice((-120, -90, 90, 120), w.shape).astype(np.int64) for w in graph.weights
    }
    with patch("offchain.trace.plan.MAX_LAYER", LAYER_OPS):
        plan = build_plan(graph, weight_roots(graph, weights))
    return graph, weights, plan


def execute(weights: dict[str, IntArray], fault: int | None) -> Execution:
    """Run the network on a fixed input; operator `fault` is wrong in its element 0."""
    value = np.array([[100, -77]], dtype=np.int64)
    values = {"x": value}
    for k in range(LAYERS * LAYER_OPS):
        value = (value @ weights[f"w{k}"].T + 128) >> 8
        if k == fault:
            value[0, 0] ^= 1
        values[f"y{k}"] = value
    return Execution(value, {}, values, {})


def build_scene_document() -> dict[str, Any]:
    """Return terms, plan, traces and evidence."""
    graph, weights, plan = build_scene()
    faults = (None, *range(LAYERS * LAYER_OPS))
    executions = {fault: execute(weights, fault) for fault in faults}
    traces = {fault: record_trace(plan, graph, executions[fault]) for fault in faults}
    return {
        "terms": {name: getattr(TERMS, name) for name in TERMS.__dataclass_fields__},
        "descriptors": ["0x" + op.encoded.hex() for op in plan.ops],
        # By fault, 8 each: none first, then operator 0 and so on.
        "digests": [_hex(digest) for fault in faults for digest in traces[fault].digests],
        **_evidence(
            plan, {f: Tensors(graph, weights, executions[f]) for f in (None, *REAL_FAULTS)}
        ),
    }


def build_play(play: Play) -> dict[str, Any]:
    """Return a play as a line."""
    return {
        "fault": NO_FAULT if play.fault is None else play.fault,
        "isReal": play.is_real,
        "steps": "0x" + encode_play(play).hex(),
    }


def _evidence(plan: Plan, runs: dict[int | None, Tensors]) -> dict[str, Any]:
    """Return evidence about every element that a play with real tensors pins."""
    keys, blobs = [], []
    for fault, tensors in runs.items():
        if fault is None:
            name, claims = NO_FAULT, HONEST_CLAIMS
        else:
            name, claims = fault, list_claims(fault)
        for op, elem in claims:
            keys.append(name << 16 | op << 8 | elem)
            blobs.append("0x" + tensors.evidence(plan.ops[op], elem).hex())
    return {"evidenceKeys": keys, "evidence": blobs}


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()


def write() -> str:
    """Return the file's text."""
    lines = [build_scene_document(), *(build_play(play) for play in list_plays())]
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)


if __name__ == "__main__":
    PATH.write_text(write(), encoding="utf-8")
    print(f"wrote {PATH}")
