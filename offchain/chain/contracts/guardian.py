"""Guardian: three members, two of whom can stop the protocol for a while."""

from __future__ import annotations

from typing import ClassVar

from offchain.chain.binding import Binding
from offchain.chain.client import Call
from offchain.types import GuardianAction


class Guardian(Binding):
    """Pause, end of a pause, refund mode, renunciation."""

    NAME: ClassVar[str] = "Guardian"

    def is_renounced(self) -> bool:
        """Whether the members have laid their power down."""
        return bool(self.read("renounced"))

    def is_member(self, account: str) -> bool:
        """Whether an account is a member."""
        return bool(self.read("isMember", account))

    def build_approve(self, action: GuardianAction) -> Call:
        """Approve an action; the second member's approval executes it."""
        return self.build("approve", int(action))

    def build_withdraw_approval(self, action: GuardianAction) -> Call:
        """Take the caller's approval back."""
        return self.build("withdrawApproval", int(action))
