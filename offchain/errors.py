"""The one family of errors; every class carries the facts a reader needs to act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class OffchainError(Exception):
    """Root of every error raised on purpose by this package."""


class RangeError(OffchainError, ValueError):
    """A number lies outside its declared range."""


# Model


class ProblemsError(OffchainError, ValueError):
    """Everything wrong with one artefact, told at once; `problems` is the list."""

    def __init__(self, subject: str, problems: Sequence[str]) -> None:
        super().__init__(f"{subject}: " + "; ".join(problems))
        self.subject = subject
        self.problems = tuple(problems)


class GraphError(ProblemsError):
    """An integer graph is malformed, not canonical, or names an unknown operator."""


class UnsupportedModelError(ProblemsError):
    """A float model uses what cannot be imported; each problem names operator, node and remedy."""


class UnboundedError(ProblemsError):
    """With the actual weights a tensor can leave its declared range; each problem names it."""


class FidelityError(OffchainError):
    """No quantization within the search meets the target; the message names the best one found."""


class TensorError(OffchainError, ValueError):
    """A tensor has the wrong shape or type, or an element outside its range."""

    def __init__(self, tensor: str, reason: str) -> None:
        super().__init__(f"{tensor}: {reason}")
        self.tensor = tensor
        self.reason = reason


class ModelFolderError(ProblemsError):
    """A model folder is incomplete, or its files are not the ones its manifest names."""


class InterfaceError(ProblemsError):
    """What is said of a model for people is malformed, or does not fit its graph."""


class BundleError(ProblemsError):
    """A bundle is malformed, hostile, or not the one of a version."""


class DownloadError(OffchainError):
    """A file could not be had from an address as what it has to be; `reason` says what came."""

    def __init__(self, uri: str, reason: str) -> None:
        super().__init__(f"{uri}: {reason}")
        self.uri = uri
        self.reason = reason


class DatasetError(OffchainError, ValueError):
    """Training data are missing or not the ones that a model is made from."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class MissingDependencyError(OffchainError, ImportError):
    """An optional package is needed for this step and not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; install the package's extra '{extra}'")
        self.package = package
        self.extra = extra


# Proof system


class ProgramError(OffchainError, ValueError):
    """A verification program is malformed or not canonical."""


class ProofError(OffchainError, ValueError):
    """A proof is malformed or does not show its statement."""


class WitnessError(OffchainError, ValueError):
    """Tensors violate a relation; names the operator and the first bad element."""

    def __init__(self, operator: str, element: int, reason: str) -> None:
        super().__init__(f"{operator}[{element}]: {reason}")
        self.operator = operator
        self.element = element


class NativeProofError(ProofError):
    """The native verifier refused a proof; `reason` says where the argument breaks."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NativeInputError(OffchainError, ValueError):
    """Key, SRS or a tensor's shape cannot be used by the native core; `reason` names the tensor."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SrsError(OffchainError, ValueError):
    """A file of powers is missing, damaged, or too small for what is wanted."""


class PtauError(SrsError):
    """A ceremony's .ptau file is refused: `section` names the part, `reason` what is wrong."""

    def __init__(self, section: str, reason: str) -> None:
        super().__init__(f"{section}: {reason}")
        self.section = section
        self.reason = reason


class ProverFailed(OffchainError):
    """The prover's process ended without a proof."""


class ProverTimeout(ProverFailed, TimeoutError):
    """The prover's process was killed because it ran too long."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"prover killed after {limit_s:g} s")
        self.limit_s = limit_s


class ProverCancelled(ProverFailed):
    """The prover's process was killed because nobody wants the proof any more."""


class ProverOutOfMemory(ProverFailed, MemoryError):
    """The prover's process did not fit into its limit of address space."""

    def __init__(self, limit_mib: int) -> None:
        super().__init__(f"prover needs more than its limit of {limit_mib} MiB")
        self.limit_mib = limit_mib


class ProverCrashed(ProverFailed):
    """The prover's process died; `status` is its exit status (negative: a signal)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"prover died with status {status}: {message}")
        self.status = status
        self.message = message


# Traces


class PlanError(ProblemsError):
    """A model has no plan: each problem names an operator that cannot be described."""


class TraceError(OffchainError, ValueError):
    """A trace, a tree or a path is malformed, or does not lead to the root it should."""


class DescriptorError(OffchainError, ValueError):
    """An operator's descriptor is malformed or names what cannot be computed."""


class EvidenceError(OffchainError, ValueError):
    """Element evidence is refused: the contract reverts on it, so it settles nothing."""


class NotOpened(EvidenceError):
    """The check reads an element that the evidence does not open; `tensor` as in TRACE.md."""

    def __init__(self, tensor: int, index: int) -> None:
        super().__init__(f"element {index} of tensor {tensor} is not opened")
        self.tensor = tensor
        self.index = index


class EvidenceTooLarge(OffchainError, ValueError):
    """The tiles that an element reads do not fit into a transaction: prove the operator instead."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"{size} bytes of evidence, at most {limit} fit into a transaction")
        self.size = size
        self.limit = limit


# Chain


class KeyFileError(OffchainError):
    """A key file or keystore is missing, malformed or readable by others."""


class SignerError(OffchainError):
    """A signer cannot or must not be used; nothing was sent."""


class SignerUnavailable(SignerError, ConnectionError):
    """A remote signer did not answer after every retry; `endpoint` hides the URL's path."""

    def __init__(self, endpoint: str, attempts: int, cause: str) -> None:
        super().__init__(f"signer at {endpoint}: no answer after {attempts} attempts: {cause}")
        self.endpoint = endpoint
        self.attempts = attempts
        self.cause = cause


class SignerRefused(SignerError):
    """A remote signer answered and will not sign; `reason` is its own."""

    def __init__(self, endpoint: str, reason: str) -> None:
        super().__init__(f"signer at {endpoint} refuses: {reason}")
        self.endpoint = endpoint
        self.reason = reason


class SignerMismatch(SignerError, ValueError):
    """A signer gave back something else than it was asked to sign; it must not be sent."""

    def __init__(self, what: str, found: object, expected: object) -> None:
        super().__init__(
            f"signer changed {what}: {_show(found)} instead of {_show(expected)}; not used"
        )
        self.what = what
        self.found = found
        self.expected = expected


class DeploymentError(OffchainError):
    """A deployment cannot begin, go on, or be what it has to be; what is on chain is named."""


class ManifestError(OffchainError):
    """A deployment manifest is missing, malformed, or names another chain."""


class RpcUnavailable(OffchainError, ConnectionError):
    """A node did not answer after every retry."""

    def __init__(self, method: str, attempts: int, cause: str) -> None:
        super().__init__(f"{method}: no answer after {attempts} attempts: {cause}")
        self.method = method
        self.attempts = attempts


class WrongChain(ManifestError):
    """An endpoint serves another chain: waiting does not cure it. `endpoint` hides its path."""

    def __init__(self, endpoint: str, found: int, expected: int) -> None:
        super().__init__(f"{endpoint} serves chain {found}, not chain {expected}")
        self.endpoint = endpoint
        self.found = found
        self.expected = expected


class MalformedAnswer(OffchainError):
    """A node answered a call with bytes that are no result: it may lack the state."""


class DatabaseUnavailable(OffchainError, ConnectionError):
    """Journal or cursor cannot be read or written now; a later tick tries again."""

    def __init__(self, where: str, cause: str) -> None:
        super().__init__(f"{where}: {cause}")
        self.where = where
        self.cause = cause


class SubmissionConflict(OffchainError):
    """Another process has signed for this step or with this nonce; a later tick looks again."""


class UnknownPending(OffchainError):
    """The pool holds transactions of this account that its journal does not know.

    They may be this very step's, signed by a journal that was lost: nothing is signed until they
    are mined and the chain says what they did.
    """

    def __init__(self, account: str, nonces: Sequence[int]) -> None:
        listed = ", ".join(map(str, nonces))
        super().__init__(f"{account} has unknown transactions in the pool, nonces {listed}")
        self.account = account
        self.nonces = tuple(nonces)


class ContractRevert(OffchainError):
    """A contract refused a call; `name` and `arguments` are its decoded custom error."""

    def __init__(self, name: str, arguments: Mapping[str, object], call: str, raw: bytes) -> None:
        listed = ", ".join(f"{key}={_show(value)}" for key, value in arguments.items())
        super().__init__(f"{call} reverted: {name}({listed})")
        self.name = name
        self.arguments = dict(arguments)
        self.call = call
        self.raw = raw


class TransactionReverted(ContractRevert):
    """A mined transaction reverted: its gas is spent and nothing else changed."""

    def __init__(self, tx_hash: str, revert: ContractRevert) -> None:
        super().__init__(revert.name, revert.arguments, revert.call, revert.raw)
        self.tx_hash = tx_hash


class TransactionPending(OffchainError):
    """A sent transaction was not mined in time; the journal keeps it and a later tick resumes."""

    def __init__(self, tx_hash: str, waited_s: float) -> None:
        super().__init__(f"transaction {tx_hash} not mined after {waited_s:.0f} s")
        self.tx_hash = tx_hash


# Jobs


class NoSuchJob(OffchainError, LookupError):
    """No confirmed event of this job was read: it does not exist, or not yet."""

    def __init__(self, job: str) -> None:
        super().__init__(f"no confirmed event of job {job} was read")
        self.job = job


class NoSuchSession(OffchainError, LookupError):
    """No confirmed event of this session was read: it does not exist, or not yet."""

    def __init__(self, session: str) -> None:
        super().__init__(f"no confirmed event of session {session} was read")
        self.session = session


class TermsMismatch(OffchainError):
    """An event's terms do not hash to the job that it names: a node or a database lies."""

    def __init__(self, named: str, found: str) -> None:
        super().__init__(f"the terms told for job {named} are those of job {found}")
        self.named = named
        self.found = found


class WaitTimeout(OffchainError, TimeoutError):
    """What was waited for did not come in time; it may still come. `state` is the last one seen."""

    def __init__(self, what: str, waited_s: float, state: str) -> None:
        super().__init__(f"{what}: still {state} after {waited_s:g} s")
        self.what = what
        self.waited_s = waited_s
        self.state = state


class JobEnded(OffchainError):
    """A job ended, or will end, without the result that was waited for."""

    def __init__(self, job: str, state: str, reason: str) -> None:
        super().__init__(f"job {job} is {state}: {reason}")
        self.job = job
        self.state = state
        self.reason = reason


class WrongResult(OffchainError):
    """A committed result is another than the one recomputed here: challenge it."""

    def __init__(self, job: str, committed: bytes, recomputed: bytes) -> None:
        super().__init__(
            f"job {job}: 0x{committed.hex()} is committed, 0x{recomputed.hex()} is right"
        )
        self.job = job
        self.committed = committed
        self.recomputed = recomputed


class InsufficientCredit(OffchainError):
    """An account's credit in the vault does not pay for what it would sign."""

    def __init__(self, account: str, credit: int, required: int) -> None:
        super().__init__(f"{account} has a credit of {credit}, {required} are needed: fund it")
        self.account = account
        self.credit = credit
        self.required = required


# Roles


class ContentError(OffchainError, ValueError):
    """Stored bytes are missing or do not have the digest under which they are asked for."""


class StorageError(OffchainError):
    """A file could not be written: no space, no permission, or something lies in its place."""


class NoAnswer(OffchainError, ConnectionError):
    """A server did not answer completely in time; `endpoint` hides the URL's path."""

    def __init__(self, endpoint: str, cause: str) -> None:
        super().__init__(f"{endpoint}: {cause}")
        self.endpoint = endpoint
        self.cause = cause


class VersionMismatch(OffchainError):
    """A registered model version could not be reproduced from its published files."""

    def __init__(self, what: str, registered: bytes, recomputed: bytes) -> None:
        super().__init__(
            f"{what}: registered 0x{registered.hex()}, recomputed 0x{recomputed.hex()}"
        )
        self.what = what


class JobRefused(OffchainError):
    """A role will not touch a job; the reason says why. No money has moved."""


class GatewayUnavailable(OffchainError, ConnectionError):
    """A gateway did not answer, or not as one does; a later try may pass. `endpoint` is no URL."""

    def __init__(self, endpoint: str, cause: str) -> None:
        super().__init__(f"gateway at {endpoint}: {cause}")
        self.endpoint = endpoint
        self.cause = cause


class GatewayRefused(OffchainError):
    """A gateway understood a request and will not do it; `name` is its error, `reason` why."""

    def __init__(self, endpoint: str, status: int, name: str, reason: str) -> None:
        super().__init__(f"gateway at {endpoint} refuses: {name}: {reason}")
        self.endpoint = endpoint
        self.status = status
        self.name = name
        self.reason = reason


class OrderRefused(JobRefused):
    """A role will not touch a signed order or a request of a session; the reason says why."""


class ModelMissing(JobRefused):
    """No published model folder is the one of a version; it may be published yet."""


class SecondResult(OffchainError):
    """An operator would sign a second result of one job, which costs its stake: a defect."""

    def __init__(self, job: str, signed: bytes, asked: bytes) -> None:
        super().__init__(
            f"job {job}: 0x{signed.hex()} was vouched for, 0x{asked.hex()} is never signed"
        )
        self.job = job
        self.signed = signed
        self.asked = asked


class UnprovablePart(OffchainError):
    """An operator, or a row of it, has no key of its own: nothing can be proven about it alone."""


class PlanMismatch(VersionMismatch):
    """A version's plan on chain is not the one that its files give: a registrant's lie."""


class UnchallengedProof(OffchainError):
    """The prover was asked to run without an open challenge."""


class QueueFull(OffchainError):
    """As many steps wait as the workers get to soon; the next tick comes back with the rest."""


class BrokerUnavailable(OffchainError, ConnectionError):
    """A step could not be queued; the next tick hands it out again."""


class NoDetection(OffchainError, ValueError):
    """Nobody would ever notice a cheat, so no lock is enough; or a probability exceeds one."""

    def __init__(self, detection_bps: int) -> None:
        super().__init__(f"a cheat is noticed with {detection_bps} of 10,000: no lock is enough")
        self.detection_bps = detection_bps


class ConfigError(OffchainError, ValueError):
    """A setting is missing or makes no sense."""


def _show(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
