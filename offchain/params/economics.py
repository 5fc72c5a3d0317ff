"""When cheating does not pay, and checking does: the mirror of Economics.sol.

Source: protocol.md 3.9 and A.14. Amounts are in one token's smallest unit; probabilities in
hundredths of a percent, rounded down where they are computed: a lock is never too small for want of
a digit.
"""

from __future__ import annotations

from typing import Final

from offchain.errors import NoDetection

BPS: Final = 10_000
PERCENT: Final = 100
COLLUDING_BPS: Final = 1_000  # r: share of the stake that is taken to collude
SLASH_CHALLENGERS: Final = 35  # percent of a slash that an accomplice could take
BOND_DEFENDER: Final = 80  # percent of a lost bond that goes to whoever proved


def detection_rate(audit_bps: int, collusion_bps: int = COLLUDING_BPS, watch_bps: int = 0) -> int:
    """Return q = p (1 - r) + (1 - p) w, rounded down.

    That is: an honest auditor is drawn, or none is and somebody looks of its own accord.
    """
    return (audit_bps * (BPS - collusion_bps) + (BPS - audit_bps) * watch_bps) // BPS


def quorum_detection_rate(count: int, is_audited: bool, audit_bps: int) -> int:
    """Return q for a quorum: its audit's, or 1 - r^(count - 1), rounded down, for several replicas.

    0 for one replica without audit: nobody is sure to look.
    """
    if count == 1:
        return detection_rate(audit_bps) if is_audited else 0
    all_collude = BPS
    for _ in range(1, count):
        all_collude = _ceil_div(all_collude * COLLUDING_BPS, BPS)
    return BPS - all_collude


def minimum_slash(fee: int, insured: int, saved: int, detection_bps: int) -> int:
    """Return max(0, ceil(((1 - q) V + g) / q) - F): condition (1).

    Raises NoDetection where nobody would ever notice, or q exceeds one.
    """
    if not 0 < detection_bps <= BPS:
        raise NoDetection(detection_bps)
    gain = _ceil_div((BPS - detection_bps) * insured + BPS * saved, detection_bps)
    return max(0, gain - fee)


def minimum_lock(fee: int, insured: int, saved: int, detection_bps: int) -> int:
    """Return ceil(minimum_slash / 0.65): what is lost even to those who challenge themselves."""
    slash = minimum_slash(fee, insured, saved, detection_bps)
    return _ceil_div(slash * PERCENT, PERCENT - SLASH_CHALLENGERS)


def is_challenge_paid(lock: int, cost: int) -> bool:
    """Whether 35 % of the lock covers recomputing, gas and the bond's interest: condition (2)."""
    return lock * SLASH_CHALLENGERS // PERCENT >= cost


def is_defence_paid(bond: int, cost: int) -> bool:
    """Whether 80 % of the bond covers a proof and its gas: condition (3)."""
    return bond * BOND_DEFENDER // PERCENT >= cost


def _ceil_div(a: int, b: int) -> int:
    return -(-a // b)
