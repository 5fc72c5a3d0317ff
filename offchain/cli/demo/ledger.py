"""What everybody owns, before and after, to the wei; and what every transaction cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from offchain.chain.client import ChainClient
from offchain.chain.manifest import Manifest
from offchain.roles.context import Contracts
from offchain.types import JobId, VaultAccount, Wei

# Contract function -> the protocol's step.
STEPS: Final = {
    "deposit": "stake",
    "requestUnbond": "unbond",
    "withdrawUnbonded": "withdraw-stake",
    "proposeWorker": "propose-worker",
    "acceptOwner": "join-owner",
    "unjail": "unjail",
    "createJob": "create",
    "cancelJob": "cancel",
    "acceptJob": "accept",
    "rejectJob": "refuse",
    "commitResult": "commit",
    "requestDelivery": "request-delivery",
    "deliverOutput": "deliver",
    "finalise": "finalise",
    "expireJob": "expire",
    "failJob": "fail",
    "voidJob": "void",
    "challenge": "challenge",
    "requestProof": "request-proof",
    "prove": "prove",
    "cure": "cure",
    "claimDefault": "claim-default",
    "distributeSlash": "distribute",
    "announceEvidence": "announce-evidence",
    "proveEquivocation": "prove-equivocation",
    "voidDispute": "void-dispute",
    "postTrace": "post-trace",
    "openDispute": "open-dispute",
    "pinpoint": "pinpoint",
    "search": "search",
    "reveal": "reveal",
    "revealLeaves": "reveal",
    "revealOps": "reveal",
    "revealTileRoot": "reveal-tile",
    "revealTile": "reveal-tile",
    "select": "select",
    "selectLayer": "select",
    "pinSearched": "pin",
    "searchTiles": "search-tiles",
    "pinElement": "pin",
    "expand": "expand",
    "adjudicate": "adjudicate",
    "proveFraud": "report-fraud",
    "proveStructural": "report-fraud",
    "provePadding": "report-fraud",
    "claimTimeout": "claim-timeout",
    "resolve": "resolve",
    "finaliseDefended": "finalise",
    "withdrawCredit": "withdraw",
    "enlist": "enlist",
    "leave": "leave-list",
    "createQuorum": "create-quorum",
    "draw": "draw-replicas",
    "drawAudit": "draw-audit",
    "closeCommits": "close-commits",
    "commitBlinded": "commit-replica",
    "tally": "tally",
    "extract": "extract",
    "settle": "settle-quorum",
    "expireQuorum": "expire-quorum",
    "requestAudit": "request-audit",
}


@dataclass(frozen=True)
class Holding:
    """One party's money."""

    wallet_wei: Wei
    vault: VaultAccount

    @property
    def total_wei(self) -> Wei:
        """Return wallet and vault together."""
        return Wei(self.wallet_wei + self.vault.total)


@dataclass(frozen=True)
class Snapshot:
    """All parties' money, the vault's balance and what was burned, at one block."""

    block: int
    holdings: Mapping[str, Holding]  # by party
    vault_wei: Wei
    burned_wei: Wei
    in_jobs_wei: int = 0  # escrows, slashed locks not yet divided, bonds: nobody's yet


@dataclass(frozen=True)
class Transaction:
    """One mined transaction of a party."""

    hash: str
    party: str
    step: str
    block: int
    succeeded: bool
    gas_used: int
    cost_wei: Wei

    def to_json(self) -> Mapping[str, Any]:
        """Return a JSON form."""
        return {
            "hash": self.hash,
            "from": self.party,
            "step": self.step,
            "block": self.block,
            "status": "success" if self.succeeded else "reverted",
            "gas_used": self.gas_used,
            "cost_wei": str(self.cost_wei),
        }


class Ledger:
    """Reads balances and transactions of a scenario's parties."""

    def __init__(
        self,
        client: ChainClient,
        manifest: Manifest,
        contracts: Contracts,
        accounts: Mapping[str, str],
    ) -> None:
        self._client = client
        self._abis = {d.address: d.abi for d in manifest.contracts.values()}
        self._vault = contracts.vault
        self._accounts = accounts

    def take_snapshot(self, jobs: Sequence[JobId] = ()) -> Snapshot:
        """Return everybody's money and that of `jobs` now; nobody may be sending anything."""
        return Snapshot(
            block=self._client.get_head().number,
            holdings={
                party: Holding(self._client.get_balance(account), self._vault.get_account(account))
                for party, account in self._accounts.items()
            },
            vault_wei=self._client.get_balance(self._vault.address),
            burned_wei=Wei(self._vault.get_burned()),
            in_jobs_wei=sum(map(self._sum_job, jobs)) + self._vault.get_pinpoint_bonds(),
        )

    def _sum_job(self, job_id: JobId) -> int:
        """Return a job's money that is in no account: an active lock is in the operator's."""
        funds = self._vault.get_funds(job_id)
        held = funds.lock if funds.is_slashed else 0
        return funds.escrow + held + self._vault.get_bonds(job_id)

    def read_transactions(self, before: Snapshot, after: Snapshot) -> tuple[Transaction, ...]:
        """Return every transaction that the parties sent between two snapshots."""
        parties = {account.lower(): party for party, account in self._accounts.items()}
        found = []
        for number in range(before.block + 1, after.block + 1):
            block = self._client.get_full_block(number)
            for sent in block["transactions"] if block else ():
                party = parties.get(sent["from"].lower())
                receipt = self._client.get_receipt(sent["hash"])
                if party is None or receipt is None:
                    continue
                found.append(
                    Transaction(
                        hash=sent["hash"],
                        party=party,
                        step=self._name_step(sent),
                        block=number,
                        succeeded=receipt.succeeded,
                        gas_used=receipt.gas_used,
                        cost_wei=receipt.cost_wei,
                    )
                )
        return tuple(found)

    def _name_step(self, sent: Mapping[str, Any]) -> str:
        calldata = bytes.fromhex(sent["input"][2:])
        for address, abi in self._abis.items():
            if sent["to"] and sent["to"].lower() == address.lower():
                return STEPS.get(abi.get_function_name(calldata) or "", "other")
        return "other"


def find_leaks(
    before: Snapshot, after: Snapshot, transactions: tuple[Transaction, ...]
) -> Mapping[str, int]:
    """Return what does not add up, by equation; empty when every wei is accounted for.

    parties:  what they own fell by exactly the gas they paid, what was burned and what jobs hold
    vault:    its balance changed by exactly what its accounts, its jobs and the burned sum did
    """
    gas = sum(t.cost_wei for t in transactions)
    burned = after.burned_wei - before.burned_wei
    in_jobs = after.in_jobs_wei - before.in_jobs_wei
    owned = sum(h.total_wei for h in before.holdings.values())
    owned_after = sum(h.total_wei for h in after.holdings.values())
    accounts = sum(
        after.holdings[p].vault.total - before.holdings[p].vault.total for p in before.holdings
    )
    differences = {
        "parties": owned - owned_after - gas - burned - in_jobs,
        "vault": (after.vault_wei - before.vault_wei) - accounts - burned - in_jobs,
    }
    return {name: wei for name, wei in differences.items() if wei}


def sum_gas(transactions: tuple[Transaction, ...]) -> Mapping[str, int]:
    """Return gas by step; refused proofs and each party's withdrawals are steps of their own."""
    gas: dict[str, int] = {}
    for t in transactions:
        step = t.step if t.succeeded else f"{t.step}-refused"
        if step == "withdraw":
            step = f"withdraw-{t.party}"
        gas[step] = gas.get(step, 0) + t.gas_used
    return gas
