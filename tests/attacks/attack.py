"""What an attack is, how verifiers refuse it, and verifiers that lack the check in question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from offchain.prove.reference import curve, hyperkzg, logup, mercury, public, transcript, verifier
from offchain.prove.verification_key import VerificationKey
from tests.attacks.cheater import Cheater, Tensors
from tests.attacks.forgeries import Forgery, submit
from tests.attacks.weakening import Change, Weakening, altered, rewritten
from tests.vectors.operator_models import tiny
from tests.vectors.sketch import CompiledModel

Model = CompiledModel


@dataclass(frozen=True)
class Attack:
    """A forgery and what is expected of it."""

    name: str
    line: int  # of the checklist in tests/attacks/README.md
    make: Callable[[Model], Forgery]
    reference: str  # is in the Python reference's error
    native: str  # is in the Rust verifier's error
    solidity: str  # is the Solidity verifier's error
    without: Weakening | None = None  # gives the reference verifier that accepts it
    model: Callable[[], Model] = tiny
    forgotten: Callable[[Model], VerificationKey] | None = None  # a verifier of this key accepts it
    as_it_is: bool = False  # it accepts the same bytes; else those that are made with its key
    everywhere: bool = False  # works on every chain of linear layers


# -------------------------------------------------------------------- errors

SUMCHECK: Final = "SumCheckMismatch(uint256,uint256)"
ROOT: Final = ("LogUp root", "root", "LogUpRootInvalid(uint256,uint256)")
LAYER: Final = ("LogUp layer", "layer", SUMCHECK)
LEAVES: Final = ("LogUp leaves", "leaves", "LeafMismatch()")
INVERSES: Final = ("inverses: sum-check", "inverses", SUMCHECK)
PRODUCT: Final = ("product", "product", SUMCHECK)
CONTRACTION: Final = ("contraction", "contraction", SUMCHECK)
LINK: Final = ("link", "link", SUMCHECK)
RELATION: Final = ("relation", "relation", "RelationMismatch(uint256)")
FOLDS: Final = ("folds", "folds", "OpeningMismatch(uint256,uint256)")
PAIRING: Final = ("pairing", "pairing", "PairingFailed()")
INPUT_RANGE: Final = ("outside", "outside", "InputOutOfRange(uint256,int256,int256,int256)")
OUTPUT_RANGE: Final = ("outside", "outside", "OutputOutOfRange(uint256,int256,int256,int256)")
TRUNCATED: Final = ("truncated", "truncated", "TruncatedProof(uint256,uint256)")

# -------------------------------------------------------------------- verifiers without a check

NO_ROOT_SUM: Final = partial(rewritten, logup.verify_layers, "cp != 0 or cq == 0", "cq == 0")
NO_ROOT_DENOMINATOR: Final = partial(
    rewritten, logup.verify_layers, "cp != 0 or cq == 0", "cp != 0"
)
NO_LAYER: Final = partial(
    rewritten, logup.verify_layers, "claim != (p0 * q1 + p1 * q0 + lam * q0 * q1) % R", "False"
)
NO_LEAVES: Final = partial(
    rewritten, logup.check_leaves, "claim != (numerator % R, denominator % R)", "False"
)
NO_INVERSES: Final = partial(rewritten, logup.check_inverses, "claim != total % R", "False")
NO_RELATION: Final = partial(
    rewritten, verifier.Verifier.relate, "relation.residual == Residual.NONE and value", "False"
)
NO_PRODUCT: Final = partial(
    rewritten, verifier.Verifier.multiply, "claim != self.product_value(mu)", "False"
)
NO_CONTRACTION: Final = partial(
    rewritten, verifier.Verifier.contract, "claim != total % R", "False"
)
NO_LINK: Final = partial(rewritten, verifier.Verifier.link, "claim != total % R", "False")
NO_FOLDS: Final = partial(
    rewritten, hyperkzg.verify_opening, "squares.pop() != value", "not squares.pop()"
)
NO_PAIRING: Final = partial(
    rewritten, hyperkzg.verify_opening, "verify_pairing(left, right, tau_g2)", "pass"
)
NO_MERCURY_PAIRING: Final = partial(
    rewritten,
    mercury.verify_opening,
    "verify_pairing(left, add(scale(t, mix), last), tau_g2)",
    "pass",
)
NO_END: Final = partial(rewritten, verifier.Verifier.run, "self.receiver.finish()", "pass")
NO_SCALAR_BOUND: Final = partial(
    rewritten, transcript.Receiver.receive_scalars, "any(s >= R for s in scalars)", "False"
)
NO_COORDINATE_BOUND: Final = partial(rewritten, curve.decode, "x >= Q or y >= Q", "False")
NO_RANGE: Final = partial(rewritten, public.verify_range, "not spec.lo <= v <= spec.hi", "False")


def without_field(name: str) -> Weakening:
    """Return the verifier that does not compare one field of the statement."""
    old = "getattr(statement, name) != value"
    return partial(rewritten, verifier.verify_statement, old, f"{old} and name != '{name}'")


def proving(
    tensors: Callable[[Model], Tensors], prover: type[Cheater] = Cheater
) -> Callable[[Model], Forgery]:
    """Return the forgery that proves these tensors with this prover."""
    return lambda model: submit(model, tensors(model), prover)


def forgetting(
    name: str,
    line: int,
    model: Callable[[], Model],
    tensors: Callable[[Model], Tensors],
    change: Callable[[Model], Change],
    error: tuple[str, str, str],
) -> Attack:
    """Return the attack by a false witness that only one item of the program refuses."""
    return Attack(
        name,
        line,
        proving(tensors),
        *error,
        model=model,
        forgotten=lambda m: altered(m.key, change(m)),
    )


def following(
    name: str,
    line: int,
    model: Callable[[], Model],
    tensors: Callable[[Model], Tensors],
    change: Callable[[Model], Change],
    error: tuple[str, str, str],
) -> Attack:
    """Return the attack by a valid proof of another program, in which one item differs."""
    return Attack(
        name,
        line,
        lambda m: submit(m, tensors(m), change=change(m)),
        *error,
        model=model,
        forgotten=lambda m: altered(m.key, change(m)),
        as_it_is=True,
    )
