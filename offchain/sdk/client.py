"""The door of the SDK: order inferences, follow them, check them, object to them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from offchain.chain.binding import checksum
from offchain.chain.keys import MemoryAccount, Signer
from offchain.errors import ConfigError, InsufficientCredit, JobRefused, NoSuchJob
from offchain.roles.client import Request
from offchain.sdk.connection import POLL_S, Connection, Options, open_connection, parse_job_id
from offchain.sdk.job import Job
from offchain.sdk.orders import PlacedOrder, Wish, compute_salt, recall_order, sign_order
from offchain.sdk.pricing import Fee, choose_fee, choose_session_fee
from offchain.sdk.session import Session, find_session, open_session
from offchain.submit.models import Model, encode_input
from offchain.types import (
    ETH,
    Address,
    Amount,
    Digest,
    SessionId,
    SessionTerms,
    VerifyMask,
    VersionId,
)

CREATE: Final = "create"
SESSION_FEE: Final = "session-fee"
NAME_BYTES: Final = 8
RAMP_PERCENT: Final = 200  # of the lowest price: the highest one that an order offers by default


@dataclass(frozen=True)
class ModelVersion:
    """A registered version, as its registration declares it: nothing of it was recomputed."""

    id: str  # 0x and 64 hex digits
    uri: str  # where the registrant says its files are
    output_bytes: int
    prove_seconds: int
    royalty_bps: int  # of every fee, for its owner


class Client:
    """One account on one deployment; made by `connect`.

    Everything that is sent is written down in `home` first, so that a program that was killed and
    runs again, with the same names, sends nothing twice. Names may be left out: then every call is
    a fresh order. Objects of this package may be used from several threads.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @classmethod
    def connect(
        cls,
        gateway: str | None = None,
        *,
        rpc: str | None = None,
        manifest: str | Path | None = None,
        market: str | None = None,
        key_file: str | Path | None = None,
        password_file: str | Path | None = None,
        account: MemoryAccount | None = None,
        signer: Signer | None = None,
        content: str | Path | None = None,
        models: str | Path | None = None,
        pull: bool = True,
        home: str | Path | None = None,
        poll_s: float = POLL_S,
    ) -> Client:
        """Connect to a deployment through a gateway's URL, or through a node and a manifest.

        gateway: URL; carries inputs, outputs, orders and requests, and names the deployment where
            no manifest does. Nothing that it says is believed: see `offchain.sdk.deployment`.
        rpc: node, several separated by commas; the gateway's public one by default.
        manifest: deployments/<chainId>.json of the deployment.
        market: address that the deployment's JobMarket must have.
        key_file, password_file: file of mode 0600 with a hex key, or a keystore and its password.
        account: a key in memory. signer: any other, for instance a RemoteSigner. Without one of
            the three the client can read and recompute.
        content: folder or gateway URL of inputs and outputs; the gateway by default.
        models: folder of published models; pull: fetch what it lacks, compared with the
            registration before it is used.
        home: where the journal is; a folder of the user's by default.

        Raises ConfigError, ManifestError, WrongChain, KeyFileError, RpcUnavailable,
        GatewayUnavailable.
        """
        options = Options(
            gateway=gateway,
            rpc=rpc,
            manifest=None if manifest is None else Path(manifest),
            market=market,
            key_file=None if key_file is None else Path(key_file),
            password_file=None if password_file is None else Path(password_file),
            account=account,
            signer=signer,
            content=None if content is None else str(content),
            models=None if models is None else Path(models),
            pull=pull,
            home=None if home is None else Path(home),
            poll_s=poll_s,
        )
        return cls(open_connection(options))

    @property
    def address(self) -> Address:
        """Return the account; raise ConfigError without a key."""
        return self.connection.account

    # Models

    def versions(self) -> tuple[ModelVersion, ...]:
        """Return every registered version, oldest first."""
        registry, first = self.connection.contracts.registry, self.connection.manifest.first_block
        return tuple(
            ModelVersion(
                id="0x" + version.hex(),
                uri=params.uri,
                output_bytes=params.output_bytes,
                prove_seconds=params.prove_seconds,
                royalty_bps=params.royalty_bps,
            )
            for version, params in registry.find_registered(first)
        )

    def model(self, version: str | VersionId) -> Model:
        """Return a version's model, every digest of which was recomputed from its files.

        Raises ModelMissing, VersionMismatch, or ContractRevert UnknownVersion.
        """
        return self.connection.versions.reproduce(parse_version(version)).model

    def price(
        self, version: str | VersionId, proof_required: bool = False, token: str = ETH
    ) -> Amount:
        """Return what a job has to pay now for operators with default settings to take it."""
        mask = _mask(proof_required)
        return choose_fee(self.connection, "market", parse_version(version), checksum(token), mask)

    # Jobs

    def submit(
        self,
        version: str | VersionId,
        values: Any,
        fee: Fee = "market",
        *,
        token: str = ETH,
        proof_required: bool = False,
        name: str | None = None,
    ) -> Job:
        """Order one inference: escrow the fee, once the version was reproduced and the input fits.

        `values` are the input, a list (of lists) or array of integers. The same `name` is the same
        job, so that it can be submitted again after a crash. Raises TensorError or RangeError for
        an input that the model does not take, JobRefused for a version that could not be
        reproduced or a fee below that of a required proof, and what sending raises.
        """
        connection, version_id = self.connection, parse_version(version)
        raw, digest = self._put_input(version_id, values)
        mask, paid_in = _mask(proof_required), checksum(token)
        request = Request(
            name=name or secrets.token_hex(NAME_BYTES),
            version=version_id,
            raw_input=raw,
            fee=choose_fee(connection, fee, version_id, paid_in, mask),
            token=paid_in,
            verify_mask=mask,
        )
        known = connection.recall(CREATE, request.name)
        if known is not None:  # its price is that of the first time
            request = Request(
                request.name, version_id, raw, Amount(int(known["fee"])), paid_in, mask
            )
        connection.remember(CREATE, request.name, {"fee": str(int(request.fee))})
        terms = request.build_terms(connection.account, digest)
        market = connection.contracts.market
        if terms.proof_required and terms.fee < market.compute_proof_fee(version_id):
            raise JobRefused(f"the fee of {terms.fee} does not pay for the required proof")
        job = Job(connection, market.compute_job_id(terms), terms, raw)
        if not job.state():  # also one that a reorganisation took
            call = market.build_create_job(terms, "0x" + digest.hex())
            connection.send(job.id, CREATE, call)
        return job

    def job(self, job_id: str) -> Job:
        """Return any job by its id, with the terms that its creation's event tells.

        Raises NoSuchJob, or TermsMismatch where a node lies about the terms.
        """
        wanted = parse_job_id(job_id)
        market, first = self.connection.contracts.market, self.connection.manifest.first_block
        for created in market.find_created(first, wanted):
            return Job(self.connection, created.id, created.terms)
        raise NoSuchJob(wanted)

    def jobs(self) -> tuple[Job, ...]:
        """Return this account's jobs, oldest first."""
        market, first = self.connection.contracts.market, self.connection.manifest.first_block
        found = market.find_created(first, client=self.address)
        return tuple(Job(self.connection, created.id, created.terms) for created in found)

    # Orders

    def order(
        self,
        version: str | VersionId,
        values: Any,
        min_fee: Fee = "market",
        max_fee: int | None = None,
        *,
        ramp_seconds: int | None = None,
        valid_seconds: int | None = None,
        token: str = ETH,
        proof_required: bool = False,
        name: str | None = None,
    ) -> PlacedOrder:
        """Sign an order and have the gateway show it to workers; no transaction, no gas.

        The price rises from `min_fee` to `max_fee` (twice as much by default) over `ramp_seconds`
        of the protocol's clock from now on (T_assign by default); the order can be taken for
        `valid_seconds` (ramp and T_assign by default). It is paid out of this account's credit: see
        `fund`. The same `name` is the same order. Raises InsufficientCredit, and what `submit`
        raises before it sends; GatewayRefused or GatewayUnavailable.
        """
        connection, version_id = self.connection, parse_version(version)
        raw, digest = self._put_input(version_id, values)
        mask, paid_in = _mask(proof_required), checksum(token)
        chosen = name or secrets.token_hex(NAME_BYTES)
        signed = recall_order(connection, chosen)
        if signed is None:
            low = choose_fee(connection, min_fee, version_id, paid_in, mask)
            high = low * RAMP_PERCENT // 100 if max_fee is None else max_fee
            self._require_credit(paid_in, Amount(high))
            wish = Wish(version_id, digest, paid_in, low, Amount(high), mask)
            signed = sign_order(connection, wish, chosen, ramp_seconds, valid_seconds)
        elif (signed.order.version, signed.order.in_digest) != (version_id, digest):
            raise ConfigError(f"the order {chosen!r} was made with another version or input")
        placed = PlacedOrder(connection, signed, raw)
        if placed.state() == "open":
            placed.show()
        return placed

    # Sessions

    def open_session(
        self,
        version: str | VersionId,
        operator: str,
        deposit: int,
        fee: Fee = "market",
        *,
        token: str = ETH,
        name: str | None = None,
    ) -> Session:
        """Open a session with an operator (its owner's address): `fee` a result, out of `deposit`.

        The same `name` is the same session. Raises what sending raises; ContractRevert for an
        unknown version or a deposit below one fee.
        """
        connection, version_id = self.connection, parse_version(version)
        chosen, paid_in = name or secrets.token_hex(NAME_BYTES), checksum(token)
        known = connection.recall(SESSION_FEE, chosen)
        amount = Amount(int(known["fee"])) if known else None
        if amount is None:
            amount = choose_session_fee(connection, fee, version_id, paid_in)
            connection.remember(SESSION_FEE, chosen, {"fee": str(int(amount))})
        terms = SessionTerms(
            client=connection.account,
            signer=connection.account,
            operator=checksum(operator),
            version=version_id,
            token=paid_in,
            fee=amount,
            salt=compute_salt(chosen),
        )
        return open_session(connection, terms, deposit)

    def session(self, session_id: str) -> Session:
        """Return a session by its id; raise ContractRevert UnknownSession, or TermsMismatch."""
        return find_session(self.connection, SessionId(parse_job_id(session_id)))

    # Money

    def credit(self, token: str = ETH) -> Amount:
        """Return what this account has in the vault: refunds, rewards, and what pays its orders."""
        return self.connection.contracts.vault.get_withdrawable(self.address, checksum(token))

    def fund(self, amount: int, token: str = ETH) -> None:
        """Add to this account's credit, from which its signed orders are paid."""
        call = self.connection.contracts.vault.build_fund(amount, checksum(token))
        self.connection.send_once(call)

    def withdraw(self, token: str = ETH) -> Amount:
        """Pay this account's credit out; return how much it was, 0 where there is none."""
        amount = self.credit(token)
        if amount:
            call = self.connection.contracts.vault.build_withdraw_credit(checksum(token))
            self.connection.send_once(call)
        return amount

    # Steps

    def _put_input(self, version: VersionId, values: Any) -> tuple[bytes, Digest]:
        model = self.model(version)
        raw = encode_input(model, values)
        return raw, self.connection.content.put(raw, model.input_bits, model.input_shape)

    def _require_credit(self, token: Address, required: Amount) -> None:
        credit = self.credit(token)
        if credit < required:
            raise InsufficientCredit(self.address, credit, required)


def parse_version(version: str | VersionId) -> VersionId:
    """Return a version's 32 bytes; raise ConfigError for anything else."""
    if isinstance(version, bytes) and len(version) == 32:
        return VersionId(version)
    if isinstance(version, str):
        return VersionId(bytes.fromhex(parse_job_id(version)[2:]))
    raise ConfigError(f"{version!r} is no version: 0x and 64 hex digits")


def _mask(proof_required: bool) -> VerifyMask:
    return VerifyMask.PROOF_REQUIRED if proof_required else VerifyMask.NONE
