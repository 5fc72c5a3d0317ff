"""PinpointGame: disputes over traces, moves and verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from functools import cached_property
from typing import ClassVar

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.chain.abi import DecodedEvent
from offchain.chain.binding import Binding, checksum
from offchain.chain.client import Call
from offchain.chain.contracts.pinpoint_types import (
    LayerEnd,
    Phase,
    Pin,
    PinClaim,
    PinpointDispute,
    PostedTrace,
    Ruling,
    Search,
)
from offchain.chain.job_ids import id_bytes
from offchain.types import Address, BlockNumber, Digest, JobId, Seconds, Wei


class PinpointGame(Binding):
    """The game over traces."""

    NAME: ClassVar[str] = "PinpointGame"

    # Views

    def get_trace(self, job_id: JobId) -> PostedTrace:
        """Return the trace of a job; nothing is posted where it has none."""
        trace = self.read_struct("getTrace", id_bytes(job_id))
        return PostedTrace(
            root=bytes(trace["root"]),
            posted_at=Seconds(trace["postedAt"]),
            is_op_granular=bool(trace["isOpGranular"]),
            open_places=int(trace["open"]),
            challengers=int(trace["places"]),
        )

    def get_op_root(self, job_id: JobId, layer: int) -> bytes:
        """Return the root over the operators of an expanded layer, zero of any other."""
        return bytes(self.read("getOpRoot", id_bytes(job_id), layer))

    def get_dispute(self, job_id: JobId, key: int) -> PinpointDispute:
        """Return a dispute; its phase is NONE if there is none."""
        dispute = self.read_struct("getDispute", id_bytes(job_id), key)
        return PinpointDispute(
            id=bytes(dispute["id"]),
            key=key,
            challenger=checksum(dispute["challenger"]),
            phase=Phase(dispute["phase"]),
            deadline=Seconds(dispute["deadline"]),
            opened_at_block=BlockNumber(dispute["openedAtBlock"]),
            bonds_wei=Wei(dispute["bonds"]),
            head=bytes(dispute["head"]),
        )

    def get_challengers(self, job_id: JobId, key: int) -> tuple[Address, ...]:
        """Return who challenges in an open dispute, the first one first."""
        return tuple(checksum(a) for a in self.read("getChallengers", id_bytes(job_id), key))

    def get_required_bond(self, job_id: JobId) -> Wei:
        """Return the bond of a dispute opened at the head's base fee."""
        return Wei(self.read("requiredBond", id_bytes(job_id)))

    def count_open(self, job_id: JobId) -> int:
        """Return how many disputes about a job are open."""
        return int(self.read("countOpen", id_bytes(job_id)))

    @cached_property
    def trace_seconds(self) -> int:
        """Return how long the asserter has to post a trace."""
        return int(self.read("TRACE_SECONDS"))

    @cached_property
    def clock_seconds(self) -> int:
        """Return how long either side has for its turns of a search."""
        return int(self.read("CLOCK_SECONDS"))

    def find_events(self, first_block: int, job_id: JobId) -> tuple[DecodedEvent, ...]:
        """Return everything that a node knows to have happened over a job's trace, in order."""
        last = self._client.get_head().number
        found: dict[tuple[int, int], DecodedEvent] = {}
        # The job is the first thing that some events name, and the second of others.
        for topics in ((None, str(job_id)), (None, None, str(job_id))):
            for log in self._client.collect_logs([self.address], first_block, last, topics):
                event = self.abi.decode_event(log)
                if event is not None:
                    found[event.block_number, event.log_index] = event
        return tuple(event for _, event in sorted(found.items()))

    # The asserter

    def build_post_trace(
        self,
        job_id: JobId,
        root: bytes,
        is_op_granular: bool,
        last_op_root: bytes,
        last_path: Sequence[bytes],
        uri: str,
    ) -> Call:
        """Post the trace of a committed result, once."""
        return self.build(
            "postTrace", id_bytes(job_id), root, is_op_granular, last_op_root, list(last_path), uri
        )

    def build_expand(self, job_id: JobId, end: LayerEnd) -> Call:
        """Tell the root over the operators of a layer."""
        return self.build("expand", id_bytes(job_id), end.to_abi())

    # Anybody, on the asserter's turn

    def build_reveal(
        self, job_id: JobId, challenger: str, state: Search, words: Sequence[bytes]
    ) -> Call:
        """Reveal descendants of a search's node."""
        return self.build("reveal", *_position(job_id, challenger, state), list(words))

    def build_reveal_leaves(
        self,
        job_id: JobId,
        challenger: str,
        state: Search,
        digests: Sequence[bytes],
        op_roots: Sequence[bytes],
    ) -> Call:
        """Reveal the leaves of layers."""
        position = _position(job_id, challenger, state)
        return self.build("revealLeaves", *position, list(digests), list(op_roots))

    def build_reveal_ops(
        self,
        job_id: JobId,
        challenger: str,
        state: Search,
        digests: Sequence[bytes],
        op_digests: Sequence[bytes],
    ) -> Call:
        """Reveal the digests of operators."""
        position = _position(job_id, challenger, state)
        return self.build("revealOps", *position, list(digests), list(op_digests))

    def build_reveal_tile_root(
        self, job_id: JobId, challenger: str, state: Search, root: bytes
    ) -> Call:
        """Reveal the root over an output's tiles."""
        return self.build("revealTileRoot", *_position(job_id, challenger, state), root)

    def build_reveal_tile(self, job_id: JobId, challenger: str, state: Search, tile: bytes) -> Call:
        """Reveal a tile, 1024 bytes."""
        return self.build("revealTile", *_position(job_id, challenger, state), tile)

    # Challengers

    def build_open_dispute(self, job_id: JobId, expected: Digest, bond_wei: int) -> Call:
        """Dispute a result whose trace is not to be had."""
        return self.build("openDispute", id_bytes(job_id), expected, value_wei=bond_wei)

    def build_pinpoint(
        self, job_id: JobId, expected: Digest, trace_root: bytes, pin: Pin, bond_wei: int
    ) -> Call:
        """Dispute one operator of a trace."""
        return self.build(
            "pinpoint", id_bytes(job_id), expected, trace_root, pin.to_abi(), value_wei=bond_wei
        )

    def build_join(self, job_id: JobId, key: int, trace_root: bytes, bond_wei: int) -> Call:
        """Share a dispute about an operator of the trace that was seen."""
        return self.build("join", id_bytes(job_id), key, trace_root, value_wei=bond_wei)

    def build_search(self, job_id: JobId, trace_root: bytes) -> Call:
        """Start to search the trace that answered the sender's dispute."""
        return self.build("search", id_bytes(job_id), trace_root)

    def build_select(
        self, job_id: JobId, state: Search, index: int, child: bytes, siblings: Sequence[bytes]
    ) -> Call:
        """Go on below one of the revealed descendants."""
        return self.build("select", id_bytes(job_id), astuple(state), index, child, list(siblings))

    def build_select_layer(
        self,
        job_id: JobId,
        state: Search,
        index: int,
        digest: bytes,
        op_root: bytes,
        siblings: Sequence[bytes],
    ) -> Call:
        """Go on among the operators of one of the revealed layers."""
        return self.build(
            "selectLayer", id_bytes(job_id), astuple(state), index, digest, op_root, list(siblings)
        )

    def build_pin_searched(self, job_id: JobId, state: Search, pin: Pin) -> Call:
        """Pin an operator within the sender's search."""
        return self.build("pinSearched", id_bytes(job_id), astuple(state), pin.to_abi())

    def build_search_tiles(self, job_id: JobId, state: Search, pin: Pin) -> Call:
        """Pin an operator as a whole and go on in the tiles of its output."""
        return self.build("searchTiles", id_bytes(job_id), astuple(state), pin.to_abi())

    def build_pin_element(self, job_id: JobId, state: Search, claim: PinClaim) -> Call:
        """Name the element of the output that was searched."""
        return self.build("pinElement", id_bytes(job_id), astuple(state), claim.to_abi())

    # Anybody

    def build_adjudicate(
        self, job_id: JobId, key: int, claim: PinClaim, rulings: Sequence[Ruling]
    ) -> Call:
        """Decide a pinned claim."""
        return self.build("adjudicate", *_judged(job_id, key, claim, rulings))

    def build_cure(
        self, job_id: JobId, key: int, claim: PinClaim, rulings: Sequence[Ruling]
    ) -> Call:
        """Show a claim consistent after its default, within the airgap."""
        return self.build("cure", *_judged(job_id, key, claim, rulings))

    def build_prove_fraud(
        self, job_id: JobId, pin: Pin, rulings: Sequence[Ruling], salt: bytes
    ) -> Call:
        """Show without a bond that an operator is wrong; announced before."""
        judged = [astuple(ruling) for ruling in rulings]
        return self.build("proveFraud", id_bytes(job_id), pin.to_abi(), judged, salt)

    def build_prove_structural(self, job_id: JobId, end: LayerEnd, salt: bytes) -> Call:
        """Show that a layer ends with another digest than its own; announced before."""
        return self.build("proveStructural", id_bytes(job_id), end.to_abi(), salt)

    def build_prove_padding(
        self,
        job_id: JobId,
        end: LayerEnd,
        position: int,
        digest: bytes,
        siblings: Sequence[bytes],
        salt: bytes,
    ) -> Call:
        """Show that something lies behind a layer's last operator; announced before."""
        siblings = list(siblings)
        return self.build(
            "provePadding", id_bytes(job_id), end.to_abi(), position, digest, siblings, salt
        )

    def build_claim_timeout(self, job_id: JobId, key: int) -> Call:
        """End a dispute in which the side on turn let its clock run out."""
        return self.build("claimTimeout", id_bytes(job_id), key)

    def build_resolve(self, job_id: JobId, key: int) -> Call:
        """End a dispute whose job was settled by something else."""
        return self.build("resolve", id_bytes(job_id), key)

    def build_void_held(self, job_id: JobId) -> Call:
        """In the refund mode, give everybody the money of a job back that waits for no proof."""
        return self.build("voidHeld", id_bytes(job_id))

    def build_finalise_defended(self, job_id: JobId) -> Call:
        """Pay the operator of a result that withstood every dispute."""
        return self.build("finaliseDefended", id_bytes(job_id))


def compute_report_commitment(reporter: str, report: Call) -> bytes:
    """Return keccak256(abi.encode(reporter, keccak256(calldata))): what announces a report."""
    types = ["address", "bytes32"]
    return bytes(keccak(encode(types, [reporter, keccak(report.calldata)])))


def _position(job_id: JobId, challenger: str, state: Search) -> tuple[object, ...]:
    return id_bytes(job_id), challenger, astuple(state)


def _judged(
    job_id: JobId, key: int, claim: PinClaim, rulings: Sequence[Ruling]
) -> tuple[object, ...]:
    return id_bytes(job_id), key, claim.to_abi(), [astuple(ruling) for ruling in rulings]
