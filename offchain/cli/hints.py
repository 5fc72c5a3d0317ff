"""What to do about an expected error, where there is something to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from offchain.errors import (
    ContractRevert,
    DeploymentError,
    JobRefused,
    KeyFileError,
    ManifestError,
    MissingDependencyError,
    OffchainError,
    RpcUnavailable,
    TransactionPending,
    VersionMismatch,
)

# Custom error of a contract -> what its reader can do.
REVERTS: Final[Mapping[str, str]] = {
    "AirgapRunning": "a slash is divided after its airgap: `zkdps job show` says when",
    "AirgapOver": "too late to cure; `zkdps challenge distribute` divides the slash",
    "AlreadyApproved": "the other member has to approve: `zkdps guardian status`",
    "AlreadyChallenging": "nothing to do: this account challenges the job already",
    "BondTooSmall": "the base fee rose meanwhile: try again",
    "DeadlineNotReached": "`zkdps job show` says until when the awaited step may still come",
    "DeadlinePassed": "`zkdps job show` says what is possible now",
    "DeliveryDue": "the client asked for the output: `zkdps job expire` once it is overdue",
    "FeeBelowProof": "a job that requires a proof pays for one: raise --fee-wei",
    "InRefundMode": "the guardian ended the protocol: `zkdps job expire` gives the money back",
    "InsufficientStake": "more free stake: `zkdps operator stake --amount-wei ...`",
    "JobExists": "the same terms and salt once more: another --request makes another job",
    "NotAnnounced": "the announcement is not mined yet, or was made by another account",
    "NothingToWithdraw": "`zkdps operator status` or `zkdps job show` say where the money is",
    "NotMember": "only the three members of the guardian may: `zkdps guardian status`",
    "NotProposed": "the owner has to propose this worker first: `zkdps operator propose`",
    "NotWorker": "no owner has this worker: `zkdps operator propose`, then `operator join`",
    "OperatorJailed": "`zkdps operator unjail` once the time is over: `zkdps operator status`",
    "ProofRequired": "the job needs a proof: `zkdps challenge open --without-bond`",
    "ProofStillDue": "`zkdps job show` says until when a proof may come",
    "ProtocolPaused": "the guardian paused the protocol: `zkdps guardian status`",
    "StillJailed": "`zkdps operator status` says until when",
    "StillUnbonding": "`zkdps operator status` says from when on",
    "TooLateToJoin": "the dispute goes on without this challenge; nothing is lost",
    "UnexpectedResult": "another result is committed now: look at it before challenging it",
    "UnknownVersion": "`zkdps model list` shows what is registered",
    "UnsupportedFeeToken": "`zkdps chain status` shows the token of this deployment",
    "WorkerTaken": "a worker serves one owner in its life: make another key",
    "WrongJobState": "`zkdps job show` says what is possible now",
}
KINDS: Final[Mapping[type[OffchainError], str]] = {
    DeploymentError: "the same command again goes on where it stopped",
    JobRefused: "`zkdps model verify` shows what does not agree",
    KeyFileError: "`zkdps key create --help`",
    ManifestError: "`zkdps chain deploy`, or the manifest of the chain that --rpc serves",
    MissingDependencyError: "the README says which extra holds what",
    RpcUnavailable: "is the node up? `zkdps chain up` starts a local one; --rpc names another",
    TransactionPending: "it is signed, stored and will be mined: look before you send it again",
    VersionMismatch: "do not use this version: `zkdps model verify` shows every digest",
}


def find_hint(error: OffchainError) -> str | None:
    """Return what to do about an error, or None."""
    if isinstance(error, ContractRevert):
        return REVERTS.get(error.name)
    for kind, hint in KINDS.items():
        if isinstance(error, kind):
            return hint
    return None
