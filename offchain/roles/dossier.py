"""A job's disputes as one document, with which an outsider can check every verdict without a node.

It holds the job's terms, the version's plan, the posted trace, and the calldata of every move. What
is in it is checked by recomputing: the job's id from its terms, the trace's root from its digests,
every pin's openings, every ruling of an element. With the model's files, the plan too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any, Final

from offchain.chain.abi import ContractAbi
from offchain.chain.client import ChainClient
from offchain.chain.contracts.pinpoint_types import Pin, PinClaim
from offchain.chain.job_ids import compute_job_id
from offchain.chain.manifest import Manifest
from offchain.errors import (
    ConfigError,
    ContentError,
    DescriptorError,
    EvidenceError,
    NoSuchJob,
    ProblemsError,
    TraceError,
)
from offchain.roles.context import Contracts
from offchain.roles.pin_calldata import read_claim_struct, read_pin
from offchain.roles.pins import claim_pin, verify_pin
from offchain.roles.search_log import read_calls
from offchain.submit.content import ContentStore
from offchain.submit.models import Model
from offchain.submit.plans import CONTRACTION, ROW, URI, build_version_plan
from offchain.trace.evidence import ElementClaim, judge_element
from offchain.types import (
    Address,
    Digest,
    JobId,
    JobTerms,
    RegisteredPlan,
    Verdict,
)

FORMAT: Final = "zkdps-evidence/1"
TRACE_HEAD: Final = 12  # bytes before the digests of a published trace
JUDGED: Final = ("adjudicate", "cure", "proveFraud")
ELEMENT_JUDGES: Final = (CONTRACTION, ROW)


def export_dossier(
    client: ChainClient,
    manifest: Manifest,
    contracts: Contracts,
    content: ContentStore | None,
    job_id: JobId,
) -> dict[str, Any]:
    """Return the document about a job; raise NoSuchJob where the chain has none."""
    found = contracts.market.find_created(manifest.first_block, job_id)
    if not found:
        raise NoSuchJob(job_id)
    job, game = contracts.market.get_job(job_id), contracts.pinpoint
    plan = contracts.adjudicators.get_plan(job.version)
    events = game.find_events(manifest.first_block, job_id)
    posted = game.get_trace(job_id)
    uris = [str(e.arguments["uri"]) for e in events if e.name == "TracePosted"]
    judges = [str(address) for address in contracts.adjudicators.get_adjudicators()]
    names = {str(manifest.get(name).address): name for name in manifest.contracts}
    document: dict[str, Any] = _plain(
        {
            "format": FORMAT,
            "chain_id": client.chain_id,
            "market": contracts.market.address,
            "game": game.address,
            "adjudicators": [names.get(address, "") for address in judges],
            "job": job_id,
            "state": job.state.name,
            "out_digest": job.out_digest,
            "terms": asdict(found[0].terms),
            "plan": None if plan is None else asdict(plan),
            "plan_uri": contracts.adjudicators.find_uri(job.version, manifest.first_block),
            "trace": {
                "root": posted.root,
                "is_op_granular": posted.is_op_granular,
                "uri": uris[0] if uris else "",
                "digests": _fetch_trace(content, uris, plan),
            },
            "moves": [
                {
                    "event": event.name,
                    "arguments": event.arguments,
                    "block": event.block_number,
                    "transaction": event.tx_hash,
                    "calls": read_calls(client, event.tx_hash, str(game.address)),
                }
                for event in events
            ],
        }
    )
    return document


def _fetch_trace(
    content: ContentStore | None, uris: Sequence[str], plan: RegisteredPlan | None
) -> bytes | None:
    """Return a published trace's bytes; None where it is withheld."""
    if content is None or plan is None or not uris:
        return None
    size = TRACE_HEAD + 32 * (plan.ops + 1)
    try:
        return content.get(Digest(bytes.fromhex(uris[0])), 8, (1, size))
    except (ContentError, ValueError):
        return None


def _plain(value: Any) -> Any:
    """Return a JSON form: bytes as 0x and hexadecimal digits."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


@dataclass(frozen=True)
class Finding:
    """One check and what it came to; None: there is nothing to check it with."""

    what: str
    holds: bool | None
    detail: str = ""


class Dossier:
    """A document that somebody brings; nothing in it is believed.

    Raises ConfigError for what is no such document.
    """

    def __init__(self, document: Mapping[str, Any], abi: ContractAbi) -> None:
        try:
            if document["format"] != FORMAT:
                raise ConfigError(f"format {document['format']!r}, expected {FORMAT}")
            self._document = document
            self._abi = abi
            terms = dict(document["terms"])
            for name in ("version", "in_digest"):
                terms[name] = _read_bytes(terms[name])
            self.terms = JobTerms(**terms)
            self.job = JobId(str(document["job"]))
            plan = document["plan"]
            self.plan = (
                None
                if plan is None
                else RegisteredPlan(**{**plan, "root": _read_bytes(plan["root"])})
            )
            self.trace_root = _read_bytes(document["trace"]["root"])
            self.is_op_granular = bool(document["trace"]["is_op_granular"])
            self.calls = [
                (str(move["event"]), move["arguments"], _read_bytes(call))
                for move in document["moves"]
                for call in move["calls"]
            ]
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, ConfigError):
                raise
            raise ConfigError(f"no evidence about a job: {error!r}") from None

    def check(self, model: Model | None = None) -> list[Finding]:
        """Return every check that can be made."""
        market = Address(str(self._document["market"]))
        chain_id = int(self._document["chain_id"])
        found = [
            Finding(
                "the job's id is the hash of its terms",
                compute_job_id(chain_id, market, self.terms) == self.job,
            )
        ]
        found += self._check_plan(model)
        found += self._check_pins()
        found += self._check_rulings()
        return found

    def _check_plan(self, model: Model | None) -> list[Finding]:
        what = "the plan is that of the model's files"
        if self.plan is None:
            return []
        if model is None:
            return [Finding(what, None, "no model given")]
        uri = str(self._document.get("plan_uri") or "")
        try:
            plan = build_version_plan(model, uri.removeprefix(URI) or "auto").plan
        except (ProblemsError, ConfigError) as error:
            return [Finding(what, False, str(error))]
        return [Finding(what, plan.root == self.plan.root)]

    def _check_pins(self) -> list[Finding]:
        found = []
        for pin in self.list_pins():
            what = f"operator {pin.op}'s openings lead to plan and trace"
            try:
                self._verify_pin(pin)
                found.append(Finding(what, True))
            except TraceError as error:
                found.append(Finding(what, False, str(error)))
        return found

    def list_pins(self) -> list[Pin]:
        """Return every operator that was pinned, each once."""
        pins: dict[bytes, Pin] = {}
        for function in ("pinpoint", "pinSearched", "searchTiles", "proveFraud"):
            for _, _, calldata in self.calls:
                for told in self._abi.decode_calls(function, calldata):
                    pin = read_pin(told["pin"])
                    pins[repr(astuple(pin)).encode()] = pin
        return list(pins.values())

    def _verify_pin(self, pin: Pin) -> None:
        if self.plan is None:
            raise TraceError("the version has no plan")
        expansions = {
            int(arguments["layer"]): _read_bytes(arguments["opRoot"])
            for event, arguments, _ in self.calls
            if event == "LayerExpanded"
        }
        root = None if self.is_op_granular else expansions
        verify_pin(pin, self.plan, self.trace_root, self.terms.in_digest, root)

    def _check_rulings(self) -> list[Finding]:
        judges = [str(name) for name in self._document["adjudicators"]]
        told = [
            (int(a["adjudicator"]), Verdict(int(a["verdict"])), calldata)
            for event, a, calldata in self.calls
            if event == "Adjudicated"
        ]
        found = []
        for number, verdict, calldata in told:
            name = judges[number] if number < len(judges) else ""
            for claim, evidence in self._list_rulings(calldata, number):
                found.append(_check_ruling(name, claim, evidence, verdict))
        return found

    def _list_rulings(self, calldata: bytes, number: int) -> list[tuple[PinClaim, bytes]]:
        found = []
        for function in JUDGED:
            for told in self._abi.decode_calls(function, calldata):
                claim = (
                    claim_pin(self.terms.version, self.job, read_pin(told["pin"]))
                    if function == "proveFraud"
                    else read_claim_struct(told["claim"])
                )
                found += [
                    (claim, bytes(evidence)) for k, evidence in told["rulings"] if int(k) == number
                ]
        return found


def _check_ruling(name: str, claim: PinClaim, evidence: bytes, verdict: Verdict) -> Finding:
    element = "the whole" if claim.elem == (1 << 64) - 1 else f"element {claim.elem}"
    what = f"{name} found {element} of operator {claim.op} {verdict.name}"
    if name not in ELEMENT_JUDGES:
        return Finding(what, None, "a proof: only a verifier judges it")
    said = ElementClaim(claim.desc, claim.elem, claim.in_digests, claim.out_digest)
    try:
        found = judge_element(said, evidence)
    except (DescriptorError, EvidenceError) as error:
        return Finding(what, False, str(error))
    return Finding(what, found is verdict, f"recomputed: {found.name}")


def _read_bytes(text: Any) -> bytes:
    return bytes.fromhex(str(text).removeprefix("0x"))
