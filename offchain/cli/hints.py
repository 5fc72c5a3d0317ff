"""What to do about an expected error, where there is something to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from offchain.errors import (
    ContractRevert,
    DeploymentError,
    GatewayUnavailable,
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
    "AlreadyExtracted": "the result is a job of its own: `zkdps job show`",
    "BondTooSmall": "the base fee rose meanwhile: try again",
    "DeadlineNotReached": "`zkdps job show` says until when the awaited step may still come",
    "DeadlinePassed": "`zkdps job show` says what is possible now",
    "DepositTooSmall": "a session's first deposit pays for one result at least: --deposit-wei",
    "DeliveryDue": "the client asked for the output: `zkdps job expire` once it is overdue",
    "FeeBelowProof": "a job that requires a proof pays for one: raise --fee-wei",
    "InRefundMode": "the guardian ended the protocol: `zkdps job expire` gives the money back",
    "InsufficientCredit": "orders are paid from credit: `zkdps order fund`",
    "InsufficientStake": "more free stake: `zkdps operator stake --amount-wei ...`",
    "JobExists": "the same terms and salt once more: another --request makes another job",
    "NotAnnounced": "the announcement is not mined yet, or was made by another account",
    "NothingToWithdraw": "`zkdps operator status` or `zkdps job show` say where the money is",
    "NotMember": "only the three members of the guardian may: `zkdps guardian status`",
    "NotInBatch": "`zkdps session show` names the batches of a session",
    "NotProposed": "the owner has to propose this worker first: `zkdps operator propose`",
    "NotWorker": "no owner has this worker: `zkdps operator propose`, then `operator join`",
    "OrderExpired": "sign another one: `zkdps order sign`",
    "OrderTakenBefore": "`zkdps order show` names its job",
    "OrderWithdrawn": "its client has cancelled it: `zkdps order sign` makes another",
    "OperatorJailed": "`zkdps operator unjail` once the time is over: `zkdps operator status`",
    "ProofRequired": "the job needs a proof: `zkdps challenge open --without-bond`",
    "ProofStillDue": "`zkdps job show` says until when a proof may come",
    "ProtocolPaused": "the guardian paused the protocol: `zkdps guardian status`",
    "SessionExists": "the same terms and salt once more: another --salt opens another session",
    "StillJailed": "`zkdps operator status` says until when",
    "StillUnbonding": "`zkdps operator status` says from when on",
    "TooLateToJoin": "the dispute goes on without this challenge; nothing is lost",
    "UnexpectedResult": "another result is committed now: look at it before challenging it",
    "UnknownSession": "ids are of one chain and deployment: --rpc, --manifest",
    "UnknownVersion": "`zkdps model list` shows what is registered",
    "UnsupportedFeeToken": "`zkdps chain status` shows the token of this deployment",
    "WorkerTaken": "a worker serves one owner in its life: make another key",
    "WrongBatchState": "`zkdps session show` says how it stands",
    "WrongSessionState": "`zkdps session show` says what is possible now",
    "WrongJobState": "`zkdps job show` says what is possible now",
}
KINDS: Final[Mapping[type[OffchainError], str]] = {
    GatewayUnavailable: "is it up? `zkdps gateway run` starts one; --gateway names another",
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
