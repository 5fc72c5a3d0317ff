"""CandidatePool: who would serve replicas of a version, and who is drawn."""

from __future__ import annotations

from typing import ClassVar

from offchain.chain.binding import Binding, checksum
from offchain.chain.client import Call
from offchain.types import Address, Amount, BlockNumber, Candidate, Seconds, VersionId


class CandidatePool(Binding):
    """Lists of candidates."""

    NAME: ClassVar[str] = "CandidatePool"

    def get_candidates(self, version: VersionId, token: Address) -> tuple[Candidate, ...]:
        """Return those enlisted for replicas of a version paid in a token."""
        return tuple(
            Candidate(
                operator=checksum(operator),
                since=BlockNumber(since),
                unbond_before=Seconds(before),
                tag=checksum(tag),
                stake=Amount(stake),
                min_fee=Amount(fee),
            )
            for operator, since, before, tag, stake, fee in self.read(
                "getCandidates", version, token
            )
        )

    def is_admitted(self, tag: Address, owner: Address) -> bool:
        """Whether an owner may serve under a tag; under its own it always may."""
        return bool(self.read("isAdmitted", tag, owner))

    def build_admit(self, owner: Address, is_admitted: bool) -> Call:
        """Say whether an owner may serve under the sender's tag."""
        return self.build("admit", owner, is_admitted)

    def build_enlist(self, version: VersionId, token: Address, tag: Address, min_fee: int) -> Call:
        """Enlist the sender's owner, or renew its entry with its present stake.

        `tag` is the owner itself or an owner that admitted it; for less than `min_fee` it is not
        drawn.
        """
        return self.build("enlist", version, token, tag, min_fee)

    def build_leave(self, version: VersionId, token: Address) -> Call:
        """Take the sender's owner, or the sender, off the list."""
        return self.build("leave", version, token)
