"""StakeVault: the only holder of value."""

from __future__ import annotations

from typing import ClassVar, Final

from offchain.chain.binding import Binding, checksum
from offchain.chain.client import Call
from offchain.chain.job_ids import id_bytes
from offchain.types import (
    ETH,
    NOBODY,
    Address,
    Amount,
    JobFunds,
    JobId,
    Seconds,
    Standing,
    VaultAccount,
    Wei,
)

SLASHED: Final = 3  # LockStatus.SLASHED


class StakeVault(Binding):
    """Stake, escrow, bonds and credit."""

    NAME: ClassVar[str] = "StakeVault"

    # Views

    def get_token(self) -> Address | None:
        """Return the one ERC-20 that the ledger holds beside ETH, or None."""
        return _somebody(self.read("TOKEN"))

    def get_tokens(self) -> tuple[Address, ...]:
        """Return every token of the ledger, ETH first."""
        token = self.get_token()
        return (ETH,) if token is None else (ETH, token)

    def get_account(self, account: str, token: str = ETH) -> VaultAccount:
        """Return an account's part of the ledger, in one token."""
        entry = self.read_struct("getAccount", token, account)
        return VaultAccount(
            free=Amount(entry["free"]),
            locked=Amount(entry["locked"]),
            credit=Amount(entry["credit"]),
            unbonding=Amount(entry["unbonding"]),
            unbond_ready_at=Seconds(entry["unbondReadyAt"]),
        )

    def get_withdrawable(self, account: str, token: str = ETH) -> Amount:
        """Return what a withdrawal of credit would pay now."""
        return self.get_account(account, token).credit

    def get_standing(self, operator: str) -> Standing:
        """Return how an operator behaved."""
        entry = self.read_struct("getStanding", operator)
        return Standing(
            jailed_until=Seconds(entry["jailedUntil"]),
            window_start=Seconds(entry["windowStart"]),
            misses=entry["misses"],
        )

    def get_funds(self, job_id: JobId, token: str = ETH) -> JobFunds:
        """Return escrow and lock of a job."""
        entry = self.read_struct("getFunds", token, id_bytes(job_id))
        return JobFunds(Amount(entry["escrow"]), Amount(entry["lock"]), entry["status"] == SLASHED)

    def get_bonds(self, job_id: JobId) -> Wei:
        """Return the sum of the bonds of a job."""
        return Wei(self.read("bondsOf", id_bytes(job_id)))

    def get_pinpoint_bonds(self) -> Wei:
        """Return the sum of the bonds of all open disputes over traces."""
        return Wei(self.read("pinpointBonds"))

    def get_burned(self, token: str = ETH) -> Amount:
        """Return what was burned so far."""
        return Amount(self.read("burned", token))

    def get_owner_of(self, worker: str) -> Address | None:
        """Return the owner whom a worker serves now, or None."""
        return _somebody(self.read("operatorOf", worker))

    def get_worker_of(self, owner: str) -> Address | None:
        """Return the worker of an owner, or None."""
        return _somebody(self.read("workerOf", owner))

    def get_proposed_worker(self, owner: str) -> Address | None:
        """Return the worker that an owner has proposed and that has not agreed yet, or None."""
        return _somebody(self.read("proposedWorker", owner))

    def get_served_owner(self, worker: str) -> Address | None:
        """Return the one owner that a worker ever served, or None."""
        return _somebody(self.read("servedOwner", worker))

    # Owners

    def build_deposit(self, amount: int, token: str = ETH) -> Call:
        """Add to the caller's free stake: ETH that comes along, or ERC-20 from its allowance."""
        return self.build("deposit", token, amount, value_wei=amount if token == ETH else 0)

    def build_request_unbond(self, amount: int, token: str = ETH) -> Call:
        """Start to unbond free stake."""
        return self.build("requestUnbond", token, amount)

    def build_withdraw_unbonded(self, token: str = ETH) -> Call:
        """Pay the caller's unbonding stake out, once its time is over."""
        return self.build("withdrawUnbonded", token)

    def build_propose_worker(self, worker: str) -> Call:
        """Propose a worker, which serves the caller once it agrees; zero ends a service."""
        return self.build("proposeWorker", worker)

    def build_unjail(self) -> Call:
        """Leave jail; the caller is the owner or its worker."""
        return self.build("unjail")

    # Workers

    def build_accept_owner(self, owner: str) -> Call:
        """Agree to work for an owner that has proposed the caller."""
        return self.build("acceptOwner", owner)

    def build_leave_owner(self) -> Call:
        """End the calling worker's service."""
        return self.build("leaveOwner")

    # Everybody

    def build_withdraw_credit(self, token: str = ETH) -> Call:
        """Pay the caller's credit out."""
        return self.build("withdrawCredit", token)

    def build_fund(self, amount: int, token: str = ETH) -> Call:
        """Add to the caller's credit, from which its signed orders are paid."""
        return self.build("fund", token, amount, value_wei=amount if token == ETH else 0)


def _somebody(address: str) -> Address | None:
    found = checksum(address)
    return None if found == NOBODY else found
