"""The demo's accounting notices a single missing wei."""

from __future__ import annotations

from dataclasses import replace

from offchain.cli.demo.ledger import Holding, Snapshot, Transaction, find_leaks, sum_gas
from offchain.types import Amount, Seconds, VaultAccount, Wei


def account(free: int = 0, credit: int = 0) -> VaultAccount:
    return VaultAccount(Amount(free), Amount(0), Amount(credit), Amount(0), Seconds(0))


def snapshot(block: int, alice: Holding, bob: Holding, vault: int, burned: int) -> Snapshot:
    return Snapshot(block, {"alice": alice, "bob": bob}, Wei(vault), Wei(burned))


GAS = Transaction("0x1", "alice", "stake", 2, True, 10, Wei(10))
BEFORE = snapshot(1, Holding(Wei(1000), account()), Holding(Wei(500), account()), 0, 0)
# Alice stakes 100 for 10 of gas; of those 100 Bob is credited 70 and 5 are burned.
AFTER = snapshot(
    2, Holding(Wei(890), account(free=25)), Holding(Wei(500), account(credit=70)), 100, 5
)


def test_find_leaks__everything_accounted_for__none() -> None:
    assert find_leaks(BEFORE, AFTER, (GAS,)) == {}


def test_find_leaks__a_wei_short_anywhere__named() -> None:
    thief = replace(AFTER.holdings["bob"], wallet_wei=Wei(499))
    stolen = replace(AFTER, holdings={**AFTER.holdings, "bob": thief})
    assert find_leaks(BEFORE, stolen, (GAS,)) == {"parties": 1}
    assert find_leaks(BEFORE, replace(AFTER, vault_wei=Wei(101)), (GAS,)) == {"vault": 1}
    assert find_leaks(BEFORE, AFTER, ()) == {"parties": 10}
    assert find_leaks(BEFORE, replace(AFTER, burned_wei=Wei(6)), (GAS,)).keys() == {
        "parties",
        "vault",
    }


def test_find_leaks__a_lock_that_waits_for_the_airgap__is_the_jobs() -> None:
    poorer = replace(AFTER.holdings["alice"], vault=account(free=5))
    slashed = replace(AFTER, holdings={**AFTER.holdings, "alice": poorer})
    assert find_leaks(BEFORE, slashed, (GAS,)) == {"parties": 20, "vault": 20}
    assert find_leaks(BEFORE, replace(slashed, in_jobs_wei=20), (GAS,)) == {}


def test_sum_gas__refused_proofs_and_withdrawals_are_steps_of_their_own() -> None:
    refused = replace(GAS, step="prove", succeeded=False, gas_used=7)
    withdrawals = (
        replace(GAS, step="withdraw", gas_used=3),
        replace(GAS, step="withdraw", party="bob", gas_used=4),
    )
    assert sum_gas((GAS, GAS, refused, *withdrawals)) == {
        "stake": 20,
        "prove-refused": 7,
        "withdraw-alice": 3,
        "withdraw-bob": 4,
    }
