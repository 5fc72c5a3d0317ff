"""The demo's scenarios: separate processes, a real chain, real proofs, every wei accounted for."""

from __future__ import annotations

from collections.abc import Callable

from offchain.cli.demo.ledger import Transaction
from offchain.cli.demo.scenarios import FEE_WEI, Result

Player = Callable[[str], Result]
LOCK_WEI = 35 * FEE_WEI
BURNED_FEE_WEI = FEE_WEI // 100  # the protocol's fee of preset local


def gained(result: Result, party: str) -> int:
    """Return what a party won or lost, its gas apart."""
    paid = sum(t.cost_wei for t in result.transactions if t.party == party)
    before, after = result.before.holdings[party], result.after.holdings[party]
    return after.total_wei - before.total_wei + paid


def find(result: Result, step: str) -> Transaction:
    (found,) = [t for t in result.transactions if t.step == step]
    return found


def test_honest_unchallenged__paid__and_the_prover_was_never_entered(play: Player) -> None:
    result = play("honest-unchallenged")
    assert result.proofs_generated == 0
    assert not any(t.step in ("challenge", "prove") for t in result.transactions)
    earned = FEE_WEI - BURNED_FEE_WEI
    assert (gained(result, "client"), gained(result, "owner")) == (-FEE_WEI, earned)
    assert result.after.burned_wei - result.before.burned_wei == BURNED_FEE_WEI
    assert result.answer["agrees"] is True


def test_honest_challenged__one_proof__final_at_once_and_the_bond_is_lost(play: Player) -> None:
    result = play("honest-challenged")
    assert result.proofs_generated == 1
    assert find(result, "prove").succeeded
    bond = -gained(result, "challenger")
    assert bond > 0
    assert gained(result, "owner") == FEE_WEI - BURNED_FEE_WEI + bond * 80 // 100
    burned = result.after.burned_wei - result.before.burned_wei
    assert burned == BURNED_FEE_WEI + bond - bond * 80 // 100


def test_cheater_challenged__false_proof_refused_on_chain__slashed(play: Player) -> None:
    result = play("cheater-challenged")
    refused = find(result, "prove")
    assert not refused.succeeded
    assert refused.party == "worker"
    assert gained(result, "worker") == 0
    assert gained(result, "owner") == -LOCK_WEI
    assert gained(result, "client") == LOCK_WEI * 40 // 100
    assert gained(result, "challenger") == LOCK_WEI * 35 // 100
    steps = [t.step for t in result.transactions if t.succeeded]
    assert steps.count("claim-default") == steps.count("distribute") == 1
    assert steps.index("claim-default") < steps.index("distribute")
    assert result.after.in_jobs_wei == 0
    assert result.answer["agrees"] is False


def test_vanished_operator__client_is_refunded_and_the_operator_fined(play: Player) -> None:
    result = play("vanished-operator")
    assert result.proofs_generated == 0
    assert gained(result, "client") == FEE_WEI // 2
    assert gained(result, "owner") == -FEE_WEI


def test_processes__every_party_is_its_own(play: Player) -> None:
    result = play("honest-challenged")
    pids = result.pids
    assert {"operator", "operator-worker", "client", "challenger", "prover"} <= set(pids)
    assert len(set(pids.values())) == len(pids)
