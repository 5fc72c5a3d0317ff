"""EIP-1559 fees and gas limits from estimates, with the margins in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from offchain.types import Wei

GWEI: Final = 10**9
TIP_WEI: Final = Wei(GWEI)
BASE_FEE_HEADROOM: Final = 2  # survives five full blocks of rises of 12.5 %
RESERVE_BASE_FEES: Final = 3  # gas to be paid for later is counted at so many base fees
GAS_MARGIN_PERCENT: Final = 25  # state may change between the estimate and the block
# A transaction that offers so much and still is not mined waits for something else than its price.
MOST_TIP_WEI: Final = Wei(50 * GWEI)
REPLACEMENT_PERCENT: Final = 20  # nodes ask for at least 10 % to replace at one nonce


@dataclass(frozen=True)
class Fees:
    """What a transaction offers a gas unit."""

    max_fee_wei: Wei
    tip_wei: Wei


def compute_fees(base_fee_wei: Wei) -> Fees:
    """Return max fee = 2 * base fee + tip."""
    return Fees(Wei(BASE_FEE_HEADROOM * base_fee_wei + TIP_WEI), TIP_WEI)


def compute_replacement_fees(sent: Fees, base_fee_wei: Wei) -> Fees | None:
    """Return fees high enough to replace a stuck transaction at the same nonce.

    None where a higher price would not help: whatever holds it up for hours, such as a node that
    passes nothing on, would otherwise drive its tip up to the whole balance.
    """
    fresh = compute_fees(base_fee_wei)
    if sent.tip_wei >= MOST_TIP_WEI and sent.max_fee_wei >= fresh.max_fee_wei:
        return None
    return Fees(
        Wei(max(fresh.max_fee_wei, _raise(sent.max_fee_wei))),
        Wei(max(fresh.tip_wei, _raise(sent.tip_wei))),
    )


def compute_reserve_wei(gas: int, base_fee_wei: Wei) -> Wei:
    """Return what gas may cost until it is needed: at three times the base fee, plus the tip.

    A base fee can rise by 12.5 % a block, so that nothing covers every rise; three times is about
    nine full blocks in a row.
    """
    return Wei(gas * (RESERVE_BASE_FEES * base_fee_wei + TIP_WEI))


def compute_gas_limit(estimate: int, block_gas_limit: int) -> int:
    """Return the estimate plus its margin, within the block's limit."""
    return min(estimate * (100 + GAS_MARGIN_PERCENT) // 100, block_gas_limit)


def _raise(price: Wei) -> int:
    return price * (100 + REPLACEMENT_PERCENT) // 100 + 1
