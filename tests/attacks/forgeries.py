"""Forgeries, each really computed by a cheating prover that follows the whole protocol.

Every function takes a small model and returns what a cheater would submit. `patched root` variants
send the root that the verifier wants to see instead of the one the cheater's own tables give.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from offchain.prove.program import OUTPUT_ID, Program, VerificationKey
from offchain.prove.reference.field import R, inverse
from offchain.prove.reference.logup import (
    LeafClaims,
    leaves,
    prove_layers,
    prove_logup,
    send_leaf_values,
    tree,
)
from offchain.prove.reference.prover import LogUpProver, prove
from offchain.prove.reference.srs import insecure_srs
from offchain.prove.reference.transcript import TAG_ROOT, Sender
from offchain.prove.statement import Statement
from offchain.prove.witness import Array, RequantTrace, pad
from tests.vectors.models import SmallModel, to_bytes
from tests.vectors.proofs import statement_for

Tensors = dict[int, list[int]]
JOB = 7


@dataclass(frozen=True)
class Forgery:
    """A submission that must be refused; `reason` is in the reference verifier's error."""

    name: str
    key: VerificationKey
    statement: Statement
    public_in: bytes
    public_out: bytes
    proof: bytes
    reason: str


def honest(model: SmallModel, name: str = "honest", reason: str = "") -> Forgery:
    """The honest submission, from which byte-level forgeries start."""
    trace = model.execute()
    return _submit(model, name, _tensors(model, trace), _output(model, trace), reason)


def false_output(model: SmallModel) -> Forgery:
    """Claim another last output element, with quotient and lookups to match."""
    trace = model.execute()
    tensors = _tensors(model, trace)
    last = len(model.layout.requants) - 1
    key = _key(model, last, trace)[0]
    _move_quotient(model, tensors, last, 0, key - 1 if key else 1)
    return _submit(model, "false-output", tensors, _read_output(model, tensors), "contraction")


def false_hidden(model: SmallModel) -> Forgery:
    """Change one hidden activation and execute honestly from there."""
    trace = model.execute()
    first = model.layout.requants[0]
    hidden = trace[first.op.name].y.copy()
    hidden[0, 0] = 0 if hidden[0, 0] else 1
    patched = model.execute(override={first.op.name: hidden})
    tensors = _tensors(model, {**patched, first.op.name: trace[first.op.name]})
    new_key = int(hidden[0, 0]) + (1 << (first.op.width - 1))
    _move_quotient(model, tensors, 0, 0, new_key)
    return _submit(model, "false-hidden", tensors, _read_output(model, tensors), "contraction")


def perturbed_weights(model: SmallModel) -> Forgery:
    """Run other weights than the registered ones and prove that execution."""
    weights = {k: v.copy() for k, v in model.weights.items()}
    weights["w0"][0, 0] += 1 if weights["w0"][0, 0] < 127 else -1
    trace = model.execute(weights)
    cheater = replace(model, weights=weights)
    tensors = _tensors(cheater, trace)
    return _submit(model, "perturbed-weights", tensors, _output(model, trace), "pairing")


def wrapped_quotient(model: SmallModel, patch_root: bool = False) -> Forgery:
    """Q + 2^-s in the field and remainder - 1: the identity holds, the quotient is in no table."""
    trace = model.execute()
    tensors = _tensors(model, trace)
    r = model.layout.requants[0]
    assert r.q is not None
    low = tensors[r.digits[0]]
    cell = next(i for i, v in enumerate(low) if v > 0)
    tensors[r.q][cell] = (tensors[r.q][cell] + inverse(1 << r.op.s)) % R
    counts = tensors[model.layout.multiplicities[r.digit_tables[0]]]
    counts[low[cell]] -= 1
    counts[low[cell] - 1] += 1
    low[cell] -= 1
    return _submit_unbalanced(model, "wrapped-quotient", tensors, patch_root)


def remainder_out_of_range(model: SmallModel, patch_root: bool = False) -> Forgery:
    """Q - 1 and remainder + 2^s in the output: the identity holds, the top digit is in no table."""
    trace = model.execute()
    tensors = _tensors(model, trace)
    last = len(model.layout.requants) - 1
    r = model.layout.requants[last]
    cell = next(i for i, key in enumerate(_key(model, last, trace)) if key > 0)
    _move_quotient(model, tensors, last, cell, _key(model, last, trace)[cell] - 1)
    top = tensors[r.digits[-1]]
    tensors[model.layout.multiplicities[r.digit_tables[-1]]][top[cell]] -= 1
    top[cell] += 1 << r.op.digits[-1]
    return _submit_unbalanced(model, "remainder-out-of-range", tensors, patch_root)


def root_zero_over_zero(model: SmallModel) -> Forgery:
    """Put zero denominators into two sibling leaves: the root is 0/0 whatever is looked up."""
    tensors = _tensors(model, model.execute())

    def logup(sender: Sender, program: Program, own: Tensors, beta: int, alpha: int) -> LeafClaims:
        numerators, denominators = leaves(program, own, beta, alpha)
        denominators[0] = denominators[len(denominators) // 2] = 0
        layers = tree(numerators, denominators)
        sender.send_scalars(TAG_ROOT, (layers[0][0][0], layers[0][1][0]))
        return send_leaf_values(sender, program, own, prove_layers(sender, layers))

    return _submit(model, "root-0/0", tensors, _read_output(model, tensors), "root", logup)


def tampered_commitment(model: SmallModel) -> Forgery:
    """Commit to one multiplicity too many, but prove the lookups of the honest columns."""
    honest_tensors = _tensors(model, model.execute())
    shown = {i: list(v) for i, v in honest_tensors.items()}
    shown[model.layout.multiplicities[0]][0] += 1

    def logup(sender: Sender, program: Program, own: Tensors, beta: int, alpha: int) -> LeafClaims:
        return prove_logup(sender, program, honest_tensors, beta, alpha)

    output = _read_output(model, honest_tensors)
    return _submit(model, "tampered-commitment", shown, output, "folds", logup)


def replay_other_job(model: SmallModel) -> Forgery:
    """Submit an honest proof for the next job."""
    base = honest(model)
    other = replace(base.statement, job_id=JOB + 1)
    return replace(base, name="replay-job", statement=other, reason="LogUp")


def replay_other_prover(model: SmallModel) -> Forgery:
    """Submit somebody else's honest proof."""
    base = honest(model)
    other = replace(base.statement, prover="0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
    return replace(base, name="replay-prover", statement=other, reason="LogUp")


def replay_other_challenge(model: SmallModel) -> Forgery:
    """Submit a proof that was made before the challenge's seed was known."""
    base = honest(model)
    other = replace(base.statement, challenge_seed=bytes(31) + b"\1")
    return replace(base, name="replay-seed", statement=other, reason="LogUp")


def trailing_bytes(model: SmallModel) -> Forgery:
    """An honest proof with one byte too many."""
    base = honest(model)
    return replace(base, name="trailing-bytes", proof=base.proof + b"\0", reason="trailing")


def truncated(model: SmallModel) -> Forgery:
    """An honest proof without its last byte."""
    base = honest(model)
    return replace(base, name="truncated", proof=base.proof[:-1], reason="truncated")


def non_canonical_scalar(model: SmallModel) -> Forgery:
    """The root's denominator plus r: the same field element in other bytes."""
    base = honest(model)
    at = 64 * model.key.program.proof_chunks + 32
    value = int.from_bytes(base.proof[at : at + 32], "big") + R
    proof = base.proof[:at] + value.to_bytes(32, "big") + base.proof[at + 32 :]
    return replace(base, name="non-canonical-scalar", proof=proof, reason="modulus")


def off_curve_point(model: SmallModel) -> Forgery:
    """The last quotient commitment moved off the curve."""
    base = honest(model)
    proof = base.proof[:-1] + bytes([base.proof[-1] ^ 1])
    return replace(base, name="off-curve-point", proof=proof, reason="curve")


ALL: tuple[Callable[[SmallModel], Forgery], ...] = (
    false_output,
    false_hidden,
    perturbed_weights,
    wrapped_quotient,
    lambda model: wrapped_quotient(model, patch_root=True),
    remainder_out_of_range,
    lambda model: remainder_out_of_range(model, patch_root=True),
    root_zero_over_zero,
    tampered_commitment,
    replay_other_job,
    replay_other_prover,
    replay_other_challenge,
    trailing_bytes,
    truncated,
    non_canonical_scalar,
    off_curve_point,
)


def _submit(
    model: SmallModel,
    name: str,
    tensors: Tensors,
    output: Array,
    reason: str,
    logup: LogUpProver = prove_logup,
) -> Forgery:
    key = model.key
    statement = statement_for(key, model.public_in, output, JOB)
    proof = prove(key, insecure_srs(key.program.c), statement.hash(), tensors, logup)
    bits = 8 * key.program.public[1].bytes_per_element
    return Forgery(name, key, statement, model.input_bytes(), to_bytes(output, bits), proof, reason)


def _submit_unbalanced(model: SmallModel, name: str, tensors: Tensors, patch_root: bool) -> Forgery:
    """Submit a witness whose lookups do not balance, with its own root or the wanted one."""
    output = _read_output(model, tensors)
    if not patch_root:
        return _submit(model, name, tensors, output, "root")

    def logup(sender: Sender, program: Program, own: Tensors, beta: int, alpha: int) -> LeafClaims:
        layers = tree(*leaves(program, own, beta, alpha))
        sender.send_scalars(TAG_ROOT, (0, layers[0][1][0]))
        return send_leaf_values(sender, program, own, prove_layers(sender, layers))

    return _submit(model, f"{name}-patched-root", tensors, output, "layer 0", logup)


def _tensors(model: SmallModel, trace: dict[str, RequantTrace]) -> Tensors:
    return {i: [int(v) for v in values] for i, values in model.witness(trace).items()}


def _output(model: SmallModel, trace: dict[str, RequantTrace]) -> Array:
    return trace[model.layout.graph.output].y


def _read_output(model: SmallModel, tensors: Tensors) -> Array:
    """Read the public output back from its padded tensor."""
    public = model.key.program.public[1]
    cols = 1 << (public.cols - 1).bit_length()
    padded = np.array(tensors[OUTPUT_ID], dtype=np.int64).reshape(-1, cols)
    return padded[: public.rows, : public.cols]


def _key(model: SmallModel, index: int, trace: dict[str, RequantTrace]) -> list[int]:
    """Return the table keys of one requantization's (padded) cells."""
    r = model.layout.requants[index]
    acc = pad(trace[r.op.name].acc, model.layout.shapes[r.y], r.op.name)
    rounded = (acc * r.op.m + (1 << (r.op.s - 1))) >> r.op.s
    return [int(v) + (1 << (r.op.width - 1)) for v in rounded]


def _move_quotient(model: SmallModel, tensors: Tensors, index: int, cell: int, key: int) -> None:
    """Give one cell another quotient, with the table's value and multiplicity to match."""
    r = model.layout.requants[index]
    half = 1 << (r.op.width - 1)
    counts = tensors[model.layout.multiplicities[r.table]]
    before = tensors[r.y][cell] + half if r.q is None else tensors[r.q][cell]
    counts[before] -= 1
    counts[key] += 1
    if r.q is None:
        tensors[r.y][cell] = key - half
    else:
        tensors[r.q][cell] = key
        tensors[r.y][cell] = model.layout.tables[r.table].values()[key]
