"""What an accumulator is made of before its requantization: known values and a sum to be proven."""

from __future__ import annotations

from dataclasses import dataclass, replace

from offchain.prove.compile.builder import Builder, Contraction, make_coefficient
from offchain.prove.compile.context import scale_expression, subtract
from offchain.prove.program import Expression, LinearTerm, Monomial

Rest = Contraction | tuple[LinearTerm, ...] | tuple[Monomial, ...] | None


@dataclass(frozen=True)
class Accumulated:
    """acc = known + rest at zeta.

    `rest` is a contraction, claims on tensors, or a product over the result's 2^n cells. `bound`
    limits |acc| by types alone; `zeros` names the function tables that must map 0 to 0 for acc to
    be 0 in padding cells.
    """

    known: Expression
    rest: Rest
    n: int
    bound: int


def require_equal(builder: Builder, value: Expression, acc: Accumulated, factor: int) -> None:
    """Require value = factor * acc at zeta."""
    expression = subtract(value, scale_expression(factor, acc.known))
    if isinstance(acc.rest, Contraction):
        rest = replace(acc.rest, coefficient=factor * acc.rest.coefficient)
        builder.add_contraction(expression, rest)
    elif not acc.rest:
        builder.add_check(expression)
    elif isinstance(acc.rest[0], LinearTerm):
        terms = [
            replace(t, coefficient=make_coefficient(factor * t.coefficient.value)) for t in acc.rest
        ]
        builder.add_linear(expression, terms)
    else:
        monomials = [
            replace(m, coefficient=make_coefficient(factor * m.coefficient.value)) for m in acc.rest
        ]
        builder.add_product(expression, acc.n, monomials)
