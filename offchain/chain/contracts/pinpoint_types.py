"""What disputes over traces are made of, as in `contracts/types/Pinpoint.sol`."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from enum import IntEnum
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.types import Address, BlockNumber, Digest, JobTerms, Seconds, VersionId, Wei

WHOLE: Final = (1 << 64) - 1  # the element of a claim about a whole operator
SEARCH_KEY: Final = 1 << 255
ELEMENT_BITS: Final = 64
LAYER_BITS: Final = 32
EMPTY: Final = bytes(32)


class Phase(IntEnum):
    """States of a dispute over a trace."""

    NONE = 0
    TRACE = 1
    REVEAL = 2
    SELECT = 3
    LEAF = 4
    DEFENDER_PROVEN = 5
    FRAUD_PROVEN = 6
    DEFAULT = 7
    CHALLENGER_TIMEOUT = 8
    CANCELLED = 9
    CURED = 10
    VOIDED = 11

    @property
    def is_open(self) -> bool:
        """Whether a move or a verdict is awaited."""
        return Phase.TRACE <= self <= Phase.LEAF


class Tree(IntEnum):
    """What the node of a search is a node of."""

    LAYERS = 0
    OPS = 1
    DIGEST = 2
    TILES = 3
    NONE = 4


@dataclass(frozen=True)
class Search:
    """Where a search stands; every move carries it."""

    node: bytes
    context: bytes
    meta: int

    @property
    def position(self) -> int:
        """Return the node's number in its level, of a layer's operators within the layer."""
        number = self.meta & ((1 << 64) - 1)
        return number & ((1 << LAYER_BITS) - 1) if self.tree is Tree.OPS else number

    @property
    def layer(self) -> int:
        """Return the layer whose operators are searched."""
        return (self.meta & ((1 << 64) - 1)) >> LAYER_BITS

    @property
    def waiting_seconds(self) -> int:
        """Return what is left to the side that is not on turn."""
        return (self.meta >> 64) & ((1 << 40) - 1)

    @property
    def height(self) -> int:
        """Return the levels between the node and the leaves of its tree."""
        return (self.meta >> 104) & 0xFF

    @property
    def tree(self) -> Tree:
        """Return what the node is a node of."""
        return Tree((self.meta >> 112) & 0xFF)

    @property
    def output(self) -> tuple[int, int, int]:
        """Return bytes an element, rows and columns of the output that is searched."""
        spec = (self.meta >> 136) & ((1 << 72) - 1)
        return spec >> 64, (spec >> 32) & 0xFFFFFFFF, spec & 0xFFFFFFFF

    @classmethod
    def of(cls, values: Any) -> Search:
        """Return the position that an event or calldata holds."""
        node, context, meta = values
        return cls(bytes(node), bytes(context), int(meta))

    def hash(self) -> bytes:
        """Return what the game stores of it, as 32 bytes of which the upper 25 count."""
        return bytes(keccak(encode(["(bytes32,bytes32,uint256)"], [astuple(self)])))


@dataclass(frozen=True)
class PostedTrace:
    """The trace of a job as the game holds it."""

    root: bytes
    posted_at: Seconds  # 0 while there is none
    is_op_granular: bool
    open_places: int  # bit i: place i is taken by an open dispute
    challengers: int  # of all open disputes

    @property
    def is_posted(self) -> bool:
        """Whether the asserter has told its trace."""
        return self.posted_at > 0


@dataclass(frozen=True)
class PinpointDispute:
    """A dispute over a trace as the game tells it."""

    id: bytes
    key: int
    challenger: Address
    phase: Phase
    deadline: Seconds  # of whoever is on turn, or in which a verdict counts; 0 once it is over
    opened_at_block: BlockNumber
    bonds_wei: Wei
    head: bytes  # upper 25 bytes of the hash of its position or claim

    @property
    def is_search(self) -> bool:
        """Whether a trace is searched, and no operator was named at the opening."""
        return self.key >= SEARCH_KEY


@dataclass(frozen=True)
class PinClaim:
    """What is judged about a pinned operator; `contracts/types/Claim.sol`."""

    version: VersionId
    job_id: bytes
    seed: bytes
    prover: Address
    op: int
    elem: int
    out_digest: Digest
    in_digests: tuple[Digest, ...]
    desc: bytes

    def to_abi(self) -> tuple[Any, ...]:
        """Return the struct as calls take it."""
        return astuple(self)


@dataclass(frozen=True)
class Pin:
    """An operator of a trace with all that its claim is made of."""

    op: int
    elem: int
    desc: bytes
    layer_digest: bytes
    op_root: bytes
    input_op_root: bytes
    out_digest: bytes
    in_digests: tuple[bytes, ...]
    siblings: tuple[bytes, ...]
    terms: JobTerms

    def to_abi(self) -> tuple[Any, ...]:
        """Return the struct as calls take it."""
        return astuple(self)


@dataclass(frozen=True)
class LayerEnd:
    """The end of a layer: the layer's leaf and the leaf of its last operator."""

    op: int
    desc: bytes
    layer_digest: bytes
    op_root: bytes
    last_digest: bytes
    siblings: tuple[bytes, ...]

    def to_abi(self) -> tuple[Any, ...]:
        """Return the struct as calls take it."""
        return astuple(self)


@dataclass(frozen=True)
class Ruling:
    """Evidence for one adjudicator, by its number in the registry of adjudicators."""

    adjudicator: int
    evidence: bytes


def make_pin_key(op: int, elem: int) -> int:
    """Return the key of a dispute about an operator's element."""
    return op << ELEMENT_BITS | elem


def make_search_key(challenger: str) -> int:
    """Return the key of a challenger's search."""
    return SEARCH_KEY | int(challenger, 16)
