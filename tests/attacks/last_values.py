"""What the last claim of a phase must equal, as the verifier computes it from the slots."""

from __future__ import annotations

from offchain.prove.program import Source
from offchain.prove.reference.columns import evaluate_axis
from offchain.prove.reference.field import R
from offchain.prove.reference.points import cut
from offchain.prove.reference.prover import Prover
from offchain.prove.reference.transcript import TAG_CONTRACT, TAG_PRODUCT
from offchain.prove.reference.verifier import Verifier


def last_value(prover: Prover, phase: int, weight: int) -> int:
    """Return the combination of the phase's summands at its point, by powers of `weight`."""
    verifier = Verifier.__new__(Verifier)
    verifier.program = prover.program
    verifier.challenges, verifier.slots = prover.challenges, prover.slots
    if phase == TAG_PRODUCT:
        return verifier.product_value(weight)
    if phase == TAG_CONTRACT:
        values = [verifier.instance_value(i) for i in prover.program.instances]
        return sum(pow(weight, k, R) * v for k, v in enumerate(values)) % R
    total, r_l = 0, prover.challenges[Source.LINK]
    for k, link in enumerate(prover.program.links):
        width = link.width.log_in
        value = evaluate_axis(link.height, prover.challenges, cut(r_l, width, link.height.log_in))
        value *= evaluate_axis(link.width, prover.challenges, cut(r_l, 0, width))
        total += pow(weight, k, R) * value * prover.slots[link.tensor]
    return total % R
