"""Presets: what a deployment is built with and enforces for ever (protocol.md A.12-A.20).

Fields and their order are those of `contracts/types/Parameters.sol`; times are seconds of block
time.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Final

from offchain.errors import ConfigError

GWEI: Final = 10**9


@dataclass(frozen=True)
class Parameters:
    """The protocol's parameters, one set a deployment."""

    assign_seconds: int  # T_assign: how long a job waits for an operator
    exec_seconds: int  # T_exec: how long a result may take
    challenge_seconds: int  # W_chal: how long a committed result may be challenged
    prove_seconds: int  # W_prove: before the version's own proving time is added
    prove_cap_seconds: int  # longest time to prove, however many challenges are open
    airgap_seconds: int  # how long the proceeds of a slash are held
    unbond_seconds: int  # how long stake stays slashable after its owner asks for it
    lock_fees: int  # lock of a job, in fees
    miss_fees: int  # fine for committing nothing, in fees
    dispute_gas: int  # gas a challenger spends to bring a dispute to a default
    gas_price_floor: int  # wei; the formulas never go below it
    proving_price: int  # wei for a second of proving
    max_proof_gas: int  # largest proof gas a version may declare

    def to_abi(self) -> tuple[int, ...]:
        """Return the struct as constructors take it."""
        return astuple(self)


# For a chain on one's own machine: a whole dispute fits into a minute.
LOCAL: Final = Parameters(
    assign_seconds=60,
    exec_seconds=20,
    challenge_seconds=15,
    prove_seconds=30,
    prove_cap_seconds=60,
    airgap_seconds=10,
    unbond_seconds=2 * (60 + 20 + 15 + 60 + 10),  # two longest lives, I22
    lock_fees=35,  # protocol.md A.14: 0.65 of it must deter
    miss_fees=1,
    dispute_gas=600_000,  # measured: challenge 250 k, default 300 k
    gas_price_floor=1 * GWEI,
    proving_price=10**12,  # wei a second: a cloud core's price, rounded up
    max_proof_gas=10_000_000,  # a third of a block
)

PRESETS: Final = {"local": LOCAL}


def get_preset(name: str) -> Parameters:
    """Return a preset; raise ConfigError when there is none of this name."""
    try:
        return PRESETS[name]
    except KeyError:
        raise ConfigError(f"no preset {name!r}; there are {sorted(PRESETS)}") from None
