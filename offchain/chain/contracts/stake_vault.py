"""StakeVault: the only holder of value."""

from __future__ import annotations

from typing import ClassVar, Final

from offchain.chain.binding import Binding, checksum
from offchain.chain.client import Call
from offchain.types import Address, Seconds, VaultAccount, Wei

ETH: Final = Address("0x" + "00" * 20)  # native ETH's key in the ledger
NOBODY: Final = Address("0x" + "00" * 20)


class StakeVault(Binding):
    """Stake, escrow, bonds and credit."""

    NAME: ClassVar[str] = "StakeVault"

    def get_account(self, account: str) -> VaultAccount:
        """Return an account's part of the ledger, in ETH."""
        entry = self.read_struct("getAccount", ETH, account)
        return VaultAccount(
            free_wei=Wei(entry["free"]),
            locked_wei=Wei(entry["locked"]),
            unbonding_wei=Wei(entry["unbonding"]),
            credit_wei=Wei(entry["credit"]),
            held_wei=Wei(entry["held"]),
        )

    def get_withdrawable(self, account: str) -> Wei:
        """Return what a withdrawal would pay now."""
        return Wei(self.read("withdrawable", ETH, account))

    def get_held_until(self, account: str) -> Seconds | None:
        """Return when the last of an account's held credit is ripe, or None if none is held."""
        if self.get_account(account).held_wei == 0:
            return None
        _, entries = self.read_all("getHeld", ETH, account)
        return Seconds(max(ready_at for _, ready_at in entries))

    def get_burned(self) -> Wei:
        """Return what was burned so far."""
        return Wei(self.read("burned", ETH))

    def get_owner_of(self, worker: str) -> Address | None:
        """Return the owner whom a worker serves, or None."""
        owner = checksum(self.read("operatorOf", worker))
        return None if owner == NOBODY else owner

    def build_deposit(self, amount_wei: Wei) -> Call:
        """Add to the caller's free stake."""
        return self.build("deposit", value_wei=amount_wei)

    def build_set_worker(self, worker: str) -> Call:
        """Name the caller's worker."""
        return self.build("setWorker", worker)

    def build_withdraw_credit(self) -> Call:
        """Pay the caller's credit out, with what the airgap lets go."""
        return self.build("withdrawCredit", ETH)
