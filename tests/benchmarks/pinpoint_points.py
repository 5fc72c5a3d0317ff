"""Disputes over traces: one transaction to pin an operator, searches, verdicts, ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.chain.client import Call
from offchain.chain.contracts.pinpoint_game import PinpointGame
from offchain.chain.contracts.pinpoint_types import (
    SEARCH_KEY,
    WHOLE,
    Pin,
    PinClaim,
    Ruling,
    Search,
)
from offchain.commit.digest import TILE_BYTES
from offchain.commit.model_folder import write_model_folder
from offchain.execute.fast import FAST_KERNELS, run_traced
from offchain.execute.interpreter import State, interpret
from offchain.model.graph import Requant
from offchain.model.weights import IntArray
from offchain.params.presets import LOCAL
from offchain.roles.known_trace import STEP_LEVELS, KnownTrace
from offchain.roles.pins import build_claim, build_layer_end, build_pin
from offchain.roles.search_moves import (
    AsserterMove,
    Reveal,
    RevealLeaves,
    RevealOps,
    RevealTile,
    RevealTileRoot,
    answer_output,
    answer_trace,
)
from offchain.submit.models import load_model
from offchain.submit.plans import NONE, build_version_plan
from offchain.trace.plan import Plan
from offchain.trace.recorder import Granularity, Tensors, Trace, record_trace
from offchain.types import (
    ETH,
    Address,
    Amount,
    Digest,
    JobId,
    JobTerms,
    VersionId,
)
from tests.benchmarks.gas_chain import GasChain, Row
from tests.benchmarks.traced_chain import (
    ELEMENTS,
    OTHER,
    activate_plan,
    build_graph,
    contradict,
    overfill,
)

NAME: Final = "PinpointGame"
MANY: Final = 1024  # operators: 128 layers of 8
FEW: Final = 30  # the last layer has room left
ELEMENT: Final = 1030
FEE: Final = 10**16
STAKE: Final = 10**19
SALT: Final = b"\6" * 32
CONTRACTION: Final = 0
SEARCH: Final = "search, 1,024 operators"
FIRST: Final = "the operator's first"
PINS: Final = ("trace of operators", "trace of layers")
PIN_MAXIMUM: Final = 200_000  # before adjudication
# All of it, up to the pinned operator.
SEARCH_MAXIMUM: Final = 450_000


class PinpointPoints:
    """Plays disputes about results of one version, whose traces have so many operators."""

    def __init__(
        self, chain: GasChain, owner: Address, worker: Address, operators: int = MANY
    ) -> None:
        self.chain = chain
        self.operators = operators
        self.target = operators // 8 * 5 - 3  # somewhere in the middle
        self.game = PinpointGame(chain.client, chain.manifest)
        self.owner, self.worker = owner, worker
        self.client = chain.create_account()
        self.challenger = chain.create_account()
        self.graph = build_graph(operators)
        self.version = VersionId(bytes(32))
        self._salt = 0

    def play(self) -> None:
        """Send every transaction but those of the refund mode."""
        few = PinpointPoints(self.chain, self.owner, self.worker, FEW)
        few.prepare()
        few.play_pins()
        few.play_padding()
        self.prepare()
        self._play_rejections()
        self._play_search()
        self._play_withheld()
        self._play_tiles()
        self._play_reports()

    def prepare(self) -> None:
        """Register the version, activate its plan, compute an execution."""
        name = f"chain of {self.operators}"
        folder = self.chain.folder / name
        write_model_folder(folder, self.graph, {}, {})
        model = load_model(folder)
        account = self.chain.open_account(f"tracer of {self.operators}")
        # A proof of all of it would be dearer than a version may be; nobody makes one here.
        registered = account.register_version(folder, name, proof_gas=LOCAL.max_proof_gas)
        self.version = VersionId(bytes.fromhex(registered["version"][2:]))
        activate_plan(self.chain, account.address, model, self.version)
        rng = np.random.default_rng(self.operators)
        self.raw_input = rng.integers(-128, 128, (1, ELEMENTS))
        self.execution = run_traced(self.graph, {}, self.raw_input)
        self.plan: Plan = build_version_plan(model, NONE).plan
        self.trace = record_trace(self.plan, self.graph, self.execution)
        self.tensors = Tensors(self.graph, {}, self.execution)

    @property
    def target_layer(self) -> int:
        """Return the layer of the operator that is disputed."""
        return self.plan.ops[self.target].layer

    def commit(self, out_digest: Digest) -> tuple[JobId, JobTerms]:
        """Order a job of the version and commit a result."""
        self._salt += 1
        in_digest = self.trace.in_digest
        terms = JobTerms(
            self.client,
            self.version,
            in_digest,
            ETH,
            Amount(FEE),
            0,
            0,
            (self.operators << 32) + self._salt,
        )
        market, case = self.chain.contracts.market, "traced"
        job_id = market.compute_job_id(terms)
        self._send(self.client, market.build_create_job(terms, in_digest.hex()), case)
        self._send(self.worker, market.build_accept_job(job_id), case)
        self._send(self.worker, market.build_commit_result(job_id, out_digest, ""), case)
        return job_id, terms

    # Pins

    def _play_first(self) -> None:
        """Pin an operator of a result whose owner was never challenged, by who never had money."""
        known = KnownTrace(self.trace, Granularity.OP)
        job_id, terms = self.commit(self.trace.out_digest)
        self.post(job_id, known, FIRST)
        self.pin(job_id, terms, known, self.target, FIRST)

    def play_pins(self) -> None:
        """A right operator is pinned: defended, and the job becomes final."""
        self._play_first()
        for granularity, case in zip((Granularity.OP, Granularity.LAYER), PINS, strict=True):
            known = KnownTrace(self.trace, granularity)
            job_id, terms = self.commit(self.trace.out_digest)
            self.post(job_id, known, case)
            if granularity is Granularity.LAYER:
                end = build_layer_end(known, self.target_layer)
                self._send(self.worker, self.game.build_expand(job_id, end), "before it is asked")
            claim, key = self.pin(job_id, terms, known, self.target, case)
            root, bond = known.layers.root, self.bond(job_id)
            self._send(self.chain.create_account(), self.game.build_join(job_id, key, root, bond))
            ruling = Ruling(CONTRACTION, self.tensors.evidence(self.plan.ops[self.target], ELEMENT))
            adjudicate = self.game.build_adjudicate(job_id, key, claim, [ruling])
            self._send(self.worker, adjudicate, "consistent")
            self._pass_job(job_id)
            self._send(self.worker, self.game.build_finalise_defended(job_id))

    def _play_rejections(self) -> None:
        """A wrong operator is pinned beside a right one; silence, and its cure."""
        wrong, tensors = self.spoil()
        known = KnownTrace(wrong, Granularity.OP)
        job_id, terms = self.commit(wrong.out_digest)
        self.post(job_id, known, PINS[0])
        stranger = self.chain.create_account()
        _, other = self.pin(job_id, terms, known, 0, "an operator that is right", stranger)
        claim, key = self.pin(job_id, terms, known, self.target, f"{MANY:,} operators")
        self._next_block()
        ruling = Ruling(CONTRACTION, tensors.evidence(self.plan.ops[self.target], ELEMENT))
        adjudicate = self.game.build_adjudicate(job_id, key, claim, [ruling])
        self._send(self.challenger, adjudicate, "inconsistent, 2 disputes")
        resolve = self.game.build_resolve(job_id, other)
        self._send(self.challenger, resolve, "after another's verdict")
        self._leave_jail()

    def spoil(self) -> tuple[Trace, Tensors]:
        """Return the trace of an execution with one wrong operator, and its tensors."""
        target, honest = self.plan.ops[self.target].name, FAST_KERNELS[Requant]

        def requant(op: Any, state: State) -> IntArray:
            y = honest(op, state)
            if op.name == target:
                y = y.copy()
                y.flat[ELEMENT] += 40 if y.flat[ELEMENT] < 0 else -40
            return y

        kernels = {**FAST_KERNELS, Requant: requant}
        execution = interpret(self.graph, {}, self.raw_input, kernels)
        return (
            record_trace(self.plan, self.graph, execution),
            Tensors(self.graph, {}, execution),
        )

    # Searches

    def _play_search(self) -> None:
        """Search a posted trace down to an operator; leave it undecided, then cure it."""
        known = KnownTrace(self.trace, Granularity.OP)
        job_id, terms = self.commit(self.trace.out_digest)
        self.post(job_id, known, PINS[0])
        opening = self.game.build_open_dispute(job_id, self.trace.out_digest, self.bond(job_id))
        self._send(self.challenger, opening, SEARCH)
        self._descend(job_id, known, SEARCH)
        pin = build_pin(known, self.plan.ops[self.target], ELEMENT, terms)
        state = self._state(job_id)
        self._send(self.challenger, self.game.build_pin_searched(job_id, state, pin), SEARCH)
        key = SEARCH_KEY | int(self.challenger, 16)
        claim = self._read_claim(job_id, known, self.target, ELEMENT)
        self._pass_dispute(job_id, key)
        self._send(self.challenger, self.game.build_claim_timeout(job_id, key), "undecided")
        ruling = Ruling(CONTRACTION, self.tensors.evidence(self.plan.ops[self.target], ELEMENT))
        self._send(self.worker, self.game.build_cure(job_id, key, claim, [ruling]))
        self._leave_jail()

    def _descend(self, job_id: JobId, known: KnownTrace, case: str) -> None:
        """Reveal and choose until the operators around the target are revealed."""
        self._reveal_nodes(job_id, answer_trace(known, self._state(job_id), False), case)
        low = known.layers.depth - STEP_LEVELS
        index = self.target_layer >> low
        child, siblings = known.layers.node(low, index), known.layers.path(index, low)
        state = self._state(job_id)
        self._send(
            self.challenger,
            self.game.build_select(job_id, state, index, child, siblings),
            case,
        )
        if not known.is_op_granular:
            self._descend_into_layer(job_id, known, case)
        ops, state = answer_trace(known, self._state(job_id), True), self._state(job_id)
        assert isinstance(ops, RevealOps)
        reveal = self.game.build_reveal_ops(
            job_id, self.challenger, state, ops.digests, ops.op_digests
        )
        self._send(self.worker, reveal, case)

    def _descend_into_layer(self, job_id: JobId, known: KnownTrace, case: str) -> None:
        """Go on, in a trace of layers, to the operators of one."""
        leaves, state = answer_trace(known, self._state(job_id), False), self._state(job_id)
        assert isinstance(leaves, RevealLeaves)
        layer = self.target_layer
        reveal = self.game.build_reveal_leaves(
            job_id, self.challenger, state, leaves.digests, leaves.op_roots
        )
        self._send(self.worker, reveal, case)
        state = self._state(job_id)
        move = self.game.build_select_layer(
            job_id,
            state,
            layer % (1 << state.height),
            known.layer_digest(layer),
            known.leaf_op_root(layer),
            known.layers.path(layer, 0, state.height),
        )
        self._send(self.challenger, move, case)
        end = build_layer_end(known, layer)
        self._send(self.worker, self.game.build_expand(job_id, end), case)

    def _play_withheld(self) -> None:
        """Ask for a trace that was not posted; the challenger is silent then."""
        known = KnownTrace(self.trace, Granularity.LAYER)
        job_id, _ = self.commit(self.trace.out_digest)
        opening = self.game.build_open_dispute(job_id, self.trace.out_digest, self.bond(job_id))
        self._send(self.challenger, opening, "no trace")
        self.post(job_id, known, "demanded")
        self._send(self.challenger, self.game.build_search(job_id, known.layers.root))
        self._descend(job_id, known, "demanded")
        key = SEARCH_KEY | int(self.challenger, 16)
        self._pass_dispute(job_id, key)
        self._send(self.worker, self.game.build_claim_timeout(job_id, key), "challenger")

    def _play_tiles(self) -> None:
        """Search the output of an operator down to an element."""
        known = KnownTrace(self.trace, Granularity.OP)
        job_id, terms = self.commit(self.trace.out_digest)
        self.post(job_id, known, PINS[0])
        opening = self.game.build_open_dispute(job_id, self.trace.out_digest, self.bond(job_id))
        self._send(self.challenger, opening, "tiles")
        self._descend(job_id, known, "tiles")
        op, challenger = self.plan.ops[self.target], self.challenger
        pin = build_pin(known, op, WHOLE, terms)
        state = self._state(job_id)
        self._send(challenger, self.game.build_search_tiles(job_id, state, pin))
        output = self.tensors.get(op.name)
        root = answer_output(output, self._state(job_id))
        assert isinstance(root, RevealTileRoot)
        state = self._state(job_id)
        move = self.game.build_reveal_tile_root(job_id, challenger, state, root.root)
        self._send(self.worker, move)
        words = answer_output(output, self._state(job_id))
        assert isinstance(words, Reveal)
        self._reveal_nodes(job_id, words, "tiles")
        number = ELEMENT // TILE_BYTES
        siblings = (words.words[number ^ 1],)
        state = self._state(job_id)
        move = self.game.build_select(job_id, state, number, words.words[number], siblings)
        self._send(challenger, move, "tiles")
        tile = answer_output(output, self._state(job_id))
        assert isinstance(tile, RevealTile)
        state = self._state(job_id)
        move = self.game.build_reveal_tile(job_id, challenger, state, tile.tile)
        self._send(self.worker, move)
        job = self.chain.contracts.market.get_job(job_id)
        claim = build_claim(known, job, op, ELEMENT, bytes(32))
        state = self._state(job_id)
        self._send(challenger, self.game.build_pin_element(job_id, state, claim))

    def _reveal_nodes(self, job_id: JobId, words: AsserterMove, case: str) -> None:
        assert isinstance(words, Reveal)
        state = self._state(job_id)
        move = self.game.build_reveal(job_id, self.challenger, state, words.words)
        self._send(self.worker, move, case)

    # Reports without a bond

    def _play_reports(self) -> None:
        """Show a wrong operator, and a layer that contradicts its last operator."""
        wrong, tensors = self.spoil()
        known = KnownTrace(wrong, Granularity.OP)
        job_id, terms = self.commit(wrong.out_digest)
        self.post(job_id, known, PINS[0])
        op = self.plan.ops[self.target]
        ruling = Ruling(CONTRACTION, tensors.evidence(op, ELEMENT))
        pin = build_pin(known, op, ELEMENT, terms)
        self._report(self.game.build_prove_fraud(job_id, pin, [ruling], SALT))
        root, path, end = contradict(self.trace)
        job_id, _ = self.commit(self.trace.out_digest)
        last = self.trace.op_roots[-1]
        posting = self.game.build_post_trace(job_id, root, True, last, path, "")
        self._send(self.worker, posting, "contradictory")
        self._report(self.game.build_prove_structural(job_id, end, SALT))

    def play_padding(self) -> None:
        """Show that something lies behind a layer's last operator."""
        root, path, end, siblings = overfill(self.trace)
        job_id, _ = self.commit(self.trace.out_digest)
        posting = self.game.build_post_trace(job_id, root, True, end.op_root, path, "")
        self._send(self.worker, posting, "overfull")
        position = len(self.plan.layers[-1])
        self._report(self.game.build_prove_padding(job_id, end, position, OTHER, siblings, SALT))

    def _report(self, call: Call) -> None:
        told = encode(["address", "bytes32"], [self.challenger, keccak(call.calldata)])
        announce = self.chain.contracts.game.build_announce_evidence(keccak(told))
        self._send(self.challenger, announce, "a call")
        self._next_block()
        self._send(self.challenger, call)
        self._leave_jail()

    # The refund mode

    def prepare_void(self) -> tuple[JobId, int]:
        """Return a job with an open dispute, and the dispute's key."""
        known = KnownTrace(self.trace, Granularity.OP)
        job_id, terms = self.commit(self.trace.out_digest)
        self.post(job_id, known, "to be voided")
        _, key = self.pin(job_id, terms, known, self.target, "to be voided")
        return job_id, key

    def play_void(self, job_id: JobId, key: int) -> None:
        """Give money back in the refund mode."""
        self._send(self.client, self.game.build_void_held(job_id))
        self._send(self.client, self.game.build_resolve(job_id, key), "refund mode")

    # Steps

    def post(self, job_id: JobId, known: KnownTrace, case: str) -> None:
        """Post the trace as it is known."""
        last = len(self.plan.layers) - 1
        call = self.game.build_post_trace(
            job_id,
            known.layers.root,
            known.is_op_granular,
            known.leaf_op_root(last),
            known.layers.path(last),
            "00" * 32,
        )
        self._send(self.worker, call, case)

    def pin(
        self,
        job_id: JobId,
        terms: JobTerms,
        known: KnownTrace,
        op: int,
        case: str,
        challenger: Address | None = None,
    ) -> tuple[PinClaim, int]:
        """Pin one element of an operator; return the claim and the dispute's key."""
        pin: Pin = build_pin(known, self.plan.ops[op], ELEMENT, terms)
        digest = self.chain.contracts.market.get_job(job_id).out_digest
        root, bond = known.layers.root, self.bond(job_id)
        call = self.game.build_pinpoint(job_id, digest, root, pin, bond)
        self._send(challenger or self.challenger, call, case)
        return self._read_claim(job_id, known, op, ELEMENT), op << 64 | ELEMENT

    def bond(self, job_id: JobId) -> int:
        """Return the bond; the chain's base fee is below what it is reckoned with."""
        return self.game.get_required_bond(job_id)

    def _read_claim(self, job_id: JobId, known: KnownTrace, op: int, elem: int) -> PinClaim:
        pinned = [e for e in self.game.find_events(0, job_id) if e.name == "OperatorPinned"]
        job = self.chain.contracts.market.get_job(job_id)
        seed = bytes(pinned[-1].arguments["seed"])
        return build_claim(known, job, self.plan.ops[op], elem, seed)

    def _state(self, job_id: JobId) -> Search:
        moved = [e for e in self.game.find_events(0, job_id) if e.name == "SearchMoved"]
        return Search.of(moved[-1].arguments["state"])

    def _pass_dispute(self, job_id: JobId, key: int) -> None:
        self.chain.pass_deadline(self.game.get_dispute(job_id, key).deadline)

    def _pass_job(self, job_id: JobId) -> None:
        self.chain.pass_deadline(self.chain.contracts.market.get_job(job_id).deadline)

    def _next_block(self) -> None:
        self.chain.anvil.rpc.request("evm_mine")

    def _leave_jail(self) -> None:
        vault = self.chain.contracts.vault
        self.chain.pass_deadline(vault.get_standing(self.owner).jailed_until)
        self.chain.send(self.worker, vault.build_unjail())

    def _send(self, sender: str, call: Call, case: str = "") -> None:
        self.chain.send(sender, call, case)


def explain_excess(rows: Sequence[Row]) -> list[str]:
    """Return a sentence for every bar that is exceeded."""
    found = []
    for row in rows:
        is_pin = row.contract == NAME and row.function == "pinpoint"
        if is_pin and row.case in PINS and row.gas > PIN_MAXIMUM:
            found.append(f"to pin an operator of a {row.case} costs {row.gas} gas")
    search = sum_search(rows)
    if search > SEARCH_MAXIMUM:
        found.append(f"a search over 1,024 operators costs {search} gas")
    return found


def sum_search(rows: Sequence[Row]) -> int:
    """Return what all moves of the search cost together, its opening included."""
    return sum(row.gas for row in rows if row.contract == NAME and row.case == SEARCH)
