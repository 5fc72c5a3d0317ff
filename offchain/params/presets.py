"""Presets: what a deployment is built with and enforces for ever (protocol.md A.12-A.20).

Fields and their order are those of `contracts/types/Parameters.sol`; times are seconds of block
time.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from typing import Final

from offchain.errors import ConfigError

GWEI: Final = 10**9
MAX_EXTENSIONS: Final = 18  # turns of a search that may begin with too little time left


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
    deliver_seconds: int  # T_deliver: to post an output on chain that its client asks for
    keeper_delay_seconds: int  # after a deadline, before a stranger who settles earns the tip
    slash_jail_seconds: int  # jail after a slash
    miss_jail_seconds: int  # jail after too many misses
    miss_window_seconds: int  # misses are counted over this time
    misses_to_jail: int  # so many within the window lead to jail
    keeper_tip_bps: int  # keeper's tip, in hundredths of a percent of the fee
    protocol_fee_bps: int  # burned when a job is paid, in hundredths of a percent of the fee
    share_blocks: int  # challenges up to so many blocks after the first share its reward
    max_challengers: int  # challengers a job has room for, its client not counted
    token_gas_price: int  # units of the ERC-20 that stand for a unit of gas

    @property
    def trace_seconds(self) -> int:
        """Return T_trace: how long an operator may take to publish the root of its trace."""
        return max(1, self.exec_seconds // 2)

    @property
    def clock_seconds(self) -> int:
        """Return what each side of a search has for all its moves."""
        return self.prove_seconds

    @property
    def extension_seconds(self) -> int:
        """Return what a side of a search has at least for its next move."""
        return max(1, self.prove_seconds // 10)

    @property
    def pinpoint_seconds(self) -> int:
        """Return the longest time from the opening of a search to the operator it finds."""
        moves = 2 * self.clock_seconds + MAX_EXTENSIONS * self.extension_seconds
        return self.trace_seconds + moves

    @property
    def longest_life_seconds(self) -> int:
        """Return how long a job can live when somebody settles it in time (I22).

        An operator of the model that was found is proven within one cap; whoever rather proves the
        whole result has another.
        """
        return (
            self.assign_seconds
            + self.exec_seconds
            + self.challenge_seconds
            + self.deliver_seconds
            + self.pinpoint_seconds
            + 2 * self.prove_cap_seconds
            + self.airgap_seconds
        )

    def to_abi(self) -> tuple[int, ...]:
        """Return the struct as constructors take it."""
        return astuple(self)


@dataclass(frozen=True)
class Sampling:
    """How results are drawn for a second look, one set a deployment (protocol.md 3.9, A.13)."""

    delay_blocks: int  # from a draw's request to the block that decides it
    audit_bps: int  # chance that a single replica gets a second one, in hundredths of a percent
    proof_audit_bps: int  # chance that a job's result has to be proven, once somebody asks


MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

# For a chain on one's own machine: a whole dispute fits into a minute.
LOCAL: Final = Parameters(
    assign_seconds=60,
    exec_seconds=20,
    challenge_seconds=15,
    prove_seconds=30,
    prove_cap_seconds=60,
    airgap_seconds=10,
    unbond_seconds=2 * (60 + 20 + 15 + 15 + 124 + 2 * 60 + 10),  # two longest lives, I22
    lock_fees=35,  # protocol.md A.14: 0.65 of it must deter
    miss_fees=1,
    dispute_gas=600_000,  # measured: challenge 250 k, default 300 k
    gas_price_floor=1 * GWEI,
    proving_price=10**12,  # wei a second: a cloud core's price, rounded up
    max_proof_gas=10_000_000,  # a third of a block
    deliver_seconds=15,
    keeper_delay_seconds=10,
    slash_jail_seconds=60,
    miss_jail_seconds=20,
    miss_window_seconds=120,
    misses_to_jail=3,
    keeper_tip_bps=50,  # protocol.md 3.11: 0.5 % of the fee
    protocol_fee_bps=100,
    share_blocks=5,
    max_challengers=8,
    token_gas_price=1 * GWEI,
)

# The rest follows protocol.md 3.8. What a set may not vary (money, gas) is that of `local`.

# A local chain that a person looks at: time to read and to click, but nobody waits for minutes.
SHOWCASE: Final = replace(
    LOCAL,
    assign_seconds=2 * MINUTE,
    exec_seconds=1 * MINUTE,
    challenge_seconds=90,
    prove_seconds=1 * MINUTE,
    prove_cap_seconds=4 * MINUTE,
    airgap_seconds=30,
    unbond_seconds=40 * MINUTE,
    deliver_seconds=1 * MINUTE,
    keeper_delay_seconds=30,
    slash_jail_seconds=2 * MINUTE,
    miss_jail_seconds=1 * MINUTE,
    miss_window_seconds=10 * MINUTE,
)

# A shared development chain: people, not machines, wait for every step.
DEVNET: Final = replace(
    LOCAL,
    assign_seconds=2 * MINUTE,
    exec_seconds=2 * MINUTE,
    challenge_seconds=2 * MINUTE,
    prove_seconds=5 * MINUTE,
    prove_cap_seconds=15 * MINUTE,
    airgap_seconds=1 * MINUTE,  # 3.8 has none; a cure needs some time
    unbond_seconds=2 * HOUR,
    deliver_seconds=2 * MINUTE,
    keeper_delay_seconds=1 * MINUTE,
    slash_jail_seconds=10 * MINUTE,
    miss_jail_seconds=2 * MINUTE,
    miss_window_seconds=20 * MINUTE,
)

# A public test chain with 12 s blocks.
TESTNET: Final = replace(
    LOCAL,
    assign_seconds=10 * MINUTE,
    exec_seconds=10 * MINUTE,
    challenge_seconds=30 * MINUTE,
    prove_seconds=1 * HOUR,
    prove_cap_seconds=4 * HOUR,  # of T_disp_max, which is 3.8 h
    airgap_seconds=10 * MINUTE,
    unbond_seconds=2 * DAY,
    deliver_seconds=10 * MINUTE,
    keeper_delay_seconds=5 * MINUTE,
    slash_jail_seconds=1 * DAY,
    miss_jail_seconds=1 * HOUR,
    miss_window_seconds=1 * DAY,
)

# Money at stake, censorship for a day included: the window of jobs of up to 50 ETH.
MAINNET: Final = replace(
    LOCAL,
    assign_seconds=10 * MINUTE,
    exec_seconds=1 * HOUR,
    challenge_seconds=24 * HOUR,
    prove_seconds=4 * HOUR,
    prove_cap_seconds=17 * HOUR,  # of T_disp_max, which is 16.5 h
    airgap_seconds=24 * HOUR,
    unbond_seconds=14 * DAY,
    deliver_seconds=4 * HOUR,
    keeper_delay_seconds=1 * HOUR,
    slash_jail_seconds=14 * DAY,
    miss_jail_seconds=1 * DAY,
    miss_window_seconds=7 * DAY,
)

PRESETS: Final = {
    "local": LOCAL,
    "showcase": SHOWCASE,
    "devnet": DEVNET,
    "testnet": TESTNET,
    "mainnet": MAINNET,
}

# High where a person wants to see it happen, else what deters at the price of few audits.
LOCAL_SAMPLING: Final = Sampling(delay_blocks=2, audit_bps=5000, proof_audit_bps=2500)
SAMPLINGS: Final = {
    "local": LOCAL_SAMPLING,
    "showcase": LOCAL_SAMPLING,
    "devnet": Sampling(delay_blocks=2, audit_bps=2000, proof_audit_bps=100),
    "testnet": Sampling(delay_blocks=4, audit_bps=1000, proof_audit_bps=50),
    "mainnet": Sampling(delay_blocks=8, audit_bps=500, proof_audit_bps=20),
}


def get_preset(name: str) -> Parameters:
    """Return a preset; raise ConfigError when there is none of this name."""
    try:
        return PRESETS[name]
    except KeyError:
        raise ConfigError(f"no preset {name!r}; there are {sorted(PRESETS)}") from None


def get_sampling(name: str) -> Sampling:
    """Return a preset's sampling; raise ConfigError when there is none of this name."""
    get_preset(name)
    return SAMPLINGS[name]
