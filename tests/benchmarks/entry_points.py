"""Every entry point of the contracts in use: jobs that end in every way, with a real model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from offchain import native
from offchain.chain.contracts.dispute_game import compute_evidence_commitment
from offchain.chain.contracts.erc20 import Erc20
from offchain.chain.data_contract import build_data_contract
from offchain.chain.job_ids import id_bytes
from offchain.chain.keys import load_signer
from offchain.chain.typed_data import build_result_receipt
from offchain.commit.digest import as_matrix
from offchain.params.presets import LOCAL
from offchain.prove.job import prove_job
from offchain.roles.account import build_version_params
from offchain.submit.content import compute_digest
from offchain.submit.models import Model, load_model
from offchain.submit.proofs import build_statement
from offchain.submit.versions import ReproducedVersion
from offchain.types import (
    ETH,
    Address,
    Amount,
    Digest,
    GuardianAction,
    JobId,
    JobTerms,
    SignedResult,
    VerifyMask,
    VersionId,
)
from tests.benchmarks.gas_chain import GasChain
from tests.benchmarks.order_points import OrderPoints
from tests.benchmarks.pinpoint_points import PinpointPoints
from tests.benchmarks.quorum_points import QuorumPoints
from tests.benchmarks.session_points import SessionPoints

FEE: Final = 10**16
STAKE: Final = 10**19
OUTPUT_URI: Final = "00" * 32  # as operators name an output: by its digest
OTHER: Final = Digest(b"\x07" * 32)
SALT: Final = b"\x05" * 32


@dataclass(frozen=True)
class Operator:
    """An owner and its worker."""

    owner: Address
    worker: Address


class EntryPoints:
    """Plays jobs on a chain that records what each transaction costs."""

    def __init__(self, chain: GasChain, folder: Path, raw_input: bytes) -> None:
        self.chain = chain
        self.model: Model = load_model(folder)
        self.raw_input = raw_input
        self.raw_output, self.trace = self.model.run_traced(raw_input)
        self.in_digest = compute_digest(raw_input, self.model.input_bits, self.model.input_shape)
        self.out_digest = compute_digest(
            self.raw_output, self.model.output_bits, self.model.output_shape
        )
        self.client = chain.create_account()
        self.anybody = chain.create_account()
        self.version = VersionId(bytes(32))
        self._salt = 0

    def play(self) -> None:
        """Call every entry point that somebody outside may call."""
        self.register()
        first = self.hire()
        self.play_happy_path(first)
        self.play_without_dispute(first)
        self.play_deliveries(first)
        self.play_proofs(first)
        self.play_defaults()
        self.play_equivocation()
        self.play_tokens()
        self.play_orders()
        self.play_sessions()
        self.play_traces()
        self.play_quorums()
        self.play_stake(first)
        self.play_guardian(first)

    def register(self) -> None:
        """Publish the key and register the version."""
        chain, model = self.chain, self.model
        data = chain.send(
            self.anybody, build_data_contract(model.vk_blob), f"{len(model.vk_blob)} B"
        )
        verifier = chain.manifest.get("VerifierCore").address
        params = build_version_params(model, verifier, model.folder.name)
        params = type(params)(**{**params.__dict__, "vk_data": Address(str(data.created))})
        registry = chain.contracts.registry
        chain.send(self.anybody, registry.build_register_version(params))
        self.version = registry.compute_version_id(params, self.anybody)

    def hire(self, worker: Address | None = None) -> Operator:
        """Return a fresh owner with stake and a worker."""
        chain, vault = self.chain, self.chain.contracts.vault
        operator = Operator(chain.create_account(), worker or chain.create_account())
        chain.send(operator.owner, vault.build_deposit(STAKE), "first")
        chain.send(operator.owner, vault.build_propose_worker(operator.worker))
        chain.send(operator.worker, vault.build_accept_owner(operator.owner))
        return operator

    def order(
        self, case: str = "", token: Address = ETH, mask: VerifyMask = VerifyMask.NONE
    ) -> tuple[JobId, JobTerms]:
        """Create a job; return its id and terms."""
        self._salt += 1
        terms = JobTerms(
            self.client, self.version, self.in_digest, token, Amount(FEE), int(mask), 0, self._salt
        )
        market = self.chain.contracts.market
        self.chain.send(self.client, market.build_create_job(terms, self.in_digest.hex()), case)
        return market.compute_job_id(terms), terms

    def commit(
        self,
        operator: Operator,
        case: str = "",
        token: Address = ETH,
        mask: VerifyMask = VerifyMask.NONE,
    ) -> tuple[JobId, JobTerms]:
        """Create, accept and commit a job honestly."""
        job_id, terms = self.order(case, token, mask)
        market = self.chain.contracts.market
        self.chain.send(operator.worker, market.build_accept_job(job_id), case)
        commit = market.build_commit_result(job_id, self.out_digest, OUTPUT_URI)
        self.chain.send(operator.worker, commit, case)
        return job_id, terms

    def pass_deadline(self, job_id: JobId) -> None:
        """Let the deadline of a job's state pass."""
        self.chain.pass_deadline(self.chain.contracts.market.get_job(job_id).deadline)

    def play_happy_path(self, operator: Operator) -> None:
        """Play a job without objection: the operator's first, then another one."""
        for case in ("first job", "later job"):
            job_id, _ = self.commit(operator, case)
            self.pass_deadline(job_id)
            finalise = self.chain.contracts.market.build_finalise(job_id)
            self.chain.send(operator.worker, finalise, case)
        vault = self.chain.contracts.vault
        self.chain.send(operator.owner, vault.build_withdraw_credit())

    def play_without_dispute(self, operator: Operator) -> None:
        """Cancel, expire, refuse and fail a job; finalise one as a late stranger."""
        chain, market = self.chain, self.chain.contracts.market
        job_id, _ = self.order()
        chain.send(self.client, market.build_cancel_job(job_id))
        job_id, _ = self.order()
        self.pass_deadline(job_id)
        chain.send(self.client, market.build_expire_job(job_id))
        job_id, _ = self.order()
        chain.send(operator.worker, market.build_accept_job(job_id), "later job")
        chain.send(operator.worker, market.build_reject_job(job_id))
        job_id, _ = self.order()
        chain.send(operator.worker, market.build_accept_job(job_id), "later job")
        self.pass_deadline(job_id)
        chain.send(self.client, market.build_fail_job(job_id), "no result")
        job_id, _ = self.commit(operator, "later job")
        self.pass_deadline(job_id)
        self.chain.pass_deadline(market.get_time().now + LOCAL.keeper_delay_seconds)
        chain.send(self.anybody, market.build_finalise(job_id), "by a keeper")

    def play_deliveries(self, operator: Operator) -> None:
        """Ask for an output on chain: delivered, and not delivered."""
        chain, market = self.chain, self.chain.contracts.market
        shape, width = as_matrix(self.model.output_shape), self.model.output_bits // 8
        for is_delivered in (True, False):
            job_id, _ = self.commit(operator, "later job")
            payment = 2 * market.compute_delivery_payment(job_id)
            chain.send(self.client, market.build_request_delivery(job_id, payment))
            if is_delivered:
                deliver = market.build_deliver_output(job_id, width, shape, self.raw_output)
                chain.send(operator.worker, deliver, f"{len(self.raw_output)} B")
                self.pass_deadline(job_id)
                chain.send(operator.worker, market.build_finalise(job_id), "delivered")
            else:
                chain.pass_deadline(market.get_job(job_id).deliver_by)
                chain.send(self.client, market.build_fail_job(job_id), "no delivery")

    def play_proofs(self, operator: Operator) -> None:
        """Prove a challenged job, and one that requires a proof."""
        chain, game = self.chain, self.chain.contracts.game
        job_id, terms = self.commit(operator, "later job")
        self.challenge(job_id, self.anybody, "open")
        self.prove(job_id, terms, operator, "challenged")
        job_id, terms = self.commit(operator, "proof required", mask=VerifyMask.PROOF_REQUIRED)
        chain.send(operator.worker, game.build_request_proof(job_id, self.out_digest))
        self.prove(job_id, terms, operator, "required")

    def play_defaults(self) -> None:
        """Let a proof fail to come: divided after the airgap, and cured within it."""
        chain, game = self.chain, self.chain.contracts.game
        for is_cured in (False, True):
            operator = self.hire()
            job_id, terms = self.commit(operator, "first job")
            self.challenge(job_id, self.anybody, "open")
            self.challenge(job_id, chain.create_account(), "join")
            dispute = game.get_dispute_of(job_id)
            assert dispute is not None
            chain.pass_deadline(dispute.prove_until)
            chain.send(self.anybody, game.build_claim_default(job_id), "2 challengers")
            if is_cured:
                call = game.build_cure(
                    job_id,
                    terms,
                    self.raw_input,
                    self.raw_output,
                    self.make_proof(job_id, terms, operator.worker),
                )
                chain.send(operator.worker, call, "2 challengers")
            else:
                self.pass_deadline(job_id)
                chain.send(self.anybody, game.build_distribute_slash(job_id), "2 challengers")
            standing = chain.contracts.vault.get_standing(operator.owner)
            chain.pass_deadline(standing.jailed_until)
            chain.send(operator.worker, chain.contracts.vault.build_unjail())

    def play_equivocation(self) -> None:
        """Show two signed results of one job."""
        chain, game = self.chain, self.chain.contracts.game
        account = chain.open_account("equivocator")
        operator = self.hire(account.address)
        job_id, _ = self.commit(operator, "first job")
        signer = load_signer(chain.folder / "equivocator.key")
        message = build_result_receipt(
            chain.client.chain_id, chain.contracts.market.address, id_bytes(job_id), OTHER
        )
        first = SignedResult(OTHER, signer.sign_typed(message))
        second = SignedResult(self.out_digest)
        commitment = compute_evidence_commitment(self.anybody, job_id, first, second, SALT)
        chain.send(self.anybody, game.build_announce_evidence(commitment))
        chain.send(self.anybody, game.build_prove_equivocation(job_id, first, second, SALT))

    def play_tokens(self) -> None:
        """Play the happy path in the ERC-20."""
        chain, vault = self.chain, self.chain.contracts.vault
        operator, token = self.hire(), chain.token
        erc20, case = Erc20(chain.client, token), "ERC-20"
        for account in (operator.owner, self.client):
            chain.mint(account, 2 * STAKE)
            chain.send(account, erc20.build_approve(vault.address, 2 * STAKE))
        chain.send(operator.owner, vault.build_deposit(STAKE, token), case)
        job_id, _ = self.commit(operator, case, token)
        self.pass_deadline(job_id)
        chain.send(operator.worker, chain.contracts.market.build_finalise(job_id), case)
        chain.send(operator.owner, vault.build_withdraw_credit(token), case)

    def play_orders(self) -> None:
        """Take signed orders; tell results to contracts."""
        worker = self.hire().worker
        points = OrderPoints(self.chain, self.version, self.in_digest, worker, FEE)
        points.play_orders()
        dims, width = as_matrix(self.model.output_shape), self.model.output_bits // 8
        points.play_results(self.out_digest, width, dims, self.raw_output)

    def play_sessions(self) -> None:
        """Post batches of signed requests, and take results out of them."""
        operator = self.hire()
        SessionPoints(self.chain, self.version, operator.owner, operator.worker).play()

    def play_traces(self) -> None:
        """Dispute results over their traces."""
        operator = self.hire()
        self.traces = PinpointPoints(self.chain, operator.owner, operator.worker)
        self.traces.play()

    def play_quorums(self) -> None:
        """Order results of several operators, and draw results that have to be proven."""
        self.quorums = QuorumPoints(self.chain, self.version, self.in_digest)
        self.quorums.play()

    def play_stake(self, operator: Operator) -> None:
        """Add to stake, take it out, end a service."""
        chain, vault = self.chain, self.chain.contracts.vault
        chain.send(operator.owner, vault.build_deposit(STAKE), "more")
        chain.send(operator.owner, vault.build_request_unbond(STAKE))
        chain.pass_deadline(vault.get_account(operator.owner).unbond_ready_at)
        chain.send(operator.owner, vault.build_withdraw_unbonded())
        with chain.undone():
            chain.send(operator.worker, vault.build_leave_owner())

    def play_guardian(self, operator: Operator) -> None:
        """Pause, go on, turn to refunds, renounce."""
        chain, guardian = self.chain, self.chain.guardian
        one, two, _ = chain.manifest.guardians
        for member in (one, two):
            chain.anvil.fund(member, STAKE)
        chain.send(one, guardian.build_approve(GuardianAction.PAUSE), "first of two")
        chain.send(one, guardian.build_withdraw_approval(GuardianAction.PAUSE))
        with chain.undone():
            self._execute(GuardianAction.RENOUNCE)
        self._execute(GuardianAction.PAUSE)
        self._execute(GuardianAction.UNPAUSE)
        fresh, disputed, posting = self.hire(), self.hire(), self.hire()
        points = SessionPoints(chain, self.version, posting.owner, posting.worker)
        session, batch = points.prepare_void()
        held, key = self.traces.prepare_void()
        quorum = self.quorums.prepare_void()
        job_id, _ = self.commit(fresh, "first job")
        challenged, _ = self.commit(disputed, "first job")
        self.challenge(challenged, self.anybody, "open")
        self._execute(GuardianAction.REFUND)
        chain.send(self.anybody, chain.contracts.market.build_void_job(job_id))
        chain.send(self.anybody, chain.contracts.game.build_void_dispute(challenged))
        points.play_void(session, batch)
        self.traces.play_void(held, key)
        self.quorums.play_void(quorum)

    def challenge(self, job_id: JobId, challenger: Address, case: str) -> None:
        """Challenge a job with what the bond is now."""
        game = self.chain.contracts.game
        bond = game.get_required_bond(job_id)
        call = game.build_challenge(job_id, self.out_digest, 2 * bond)
        self.chain.send(challenger, call, case)

    def prove(self, job_id: JobId, terms: JobTerms, operator: Operator, case: str) -> None:
        """Answer a challenge with a real proof."""
        proof = self.make_proof(job_id, terms, operator.worker)
        call = self.chain.contracts.game.build_prove(
            job_id, terms, self.raw_input, self.raw_output, proof
        )
        self.chain.send(operator.worker, call, case)

    def make_proof(self, job_id: JobId, terms: JobTerms, prover: Address) -> bytes:
        """Return a proof of a job's result for one prover."""
        contracts = self.chain.contracts
        dispute = contracts.game.get_dispute_of(job_id)
        assert dispute is not None
        statement = build_statement(
            ReproducedVersion(contracts.registry.get_version(self.version), self.model),
            contracts.market.get_job(job_id),
            terms,
            dispute,
            chain_id=self.chain.client.chain_id,
            market=contracts.market.address,
            prover=prover,
        )
        return prove_job(self.model.provable, statement, self.trace, native.prove)

    def _execute(self, action: GuardianAction) -> None:
        one, two, _ = self.chain.manifest.guardians
        build = self.chain.guardian.build_approve
        self.chain.send(one, build(action), "first of two")
        self.chain.send(two, build(action), f"second of two: {action.name.lower()}")
