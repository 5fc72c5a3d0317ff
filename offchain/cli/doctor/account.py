"""The account: its key, money for gas and bonds, stake, worker, and the models it relies on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from offchain.chain.client import ChainClient
from offchain.chain.fees import compute_reserve_wei
from offchain.chain.keys import AskPassword, Signer
from offchain.chain.remote_signer import RemoteSigner
from offchain.chain.signers import open_signer
from offchain.cli.doctor.chain import Ground
from offchain.cli.doctor.finding import (
    Finding,
    Subject,
    failure,
    ok,
    show_ether,
    skipped,
    warning,
)
from offchain.errors import OffchainError, SignerError
from offchain.roles.context import Contracts, bind_contracts
from offchain.types import ETH, AccountId, VersionId

# Gas of what one job can ask of a role from its beginning to its end, rounded up.
JOB_GAS: Final = {"client": 800_000, "operator": 1_500_000, "challenger": 900_000}
COMFORT: Final = 10  # jobs that the balance should last for


def check_key(subject: Subject, ask: AskPassword | None) -> Iterator[Finding]:
    """Look whether the key file is private and opens, or the remote signer has the key."""
    if subject.signer is None:
        yield skipped("key", "give --key-file, or --signer-url with --signer-address")
        return
    try:
        signer = open_signer(subject.signer, ask)
        if isinstance(signer, RemoteSigner):
            signer.check()
            yield ok("key", f"{signer.address}, at the remote signer {signer.endpoint}")
            return
    except SignerError as error:
        yield failure("key", str(error), "start the signer, load the key into it, or mend its URL")
        return
    except OffchainError as error:
        yield failure("key", str(error), "`zkdps key show` says more; chmod 600 closes a file")
        return
    yield ok("key", f"{signer.address}, {subject.signer.key_file}")


def find_account(subject: Subject, ask: AskPassword | None) -> Signer | None:
    """Return the signer, or None where there is none that opens; `check_key` says why."""
    try:
        return None if subject.signer is None else open_signer(subject.signer, ask)
    except OffchainError:
        return None


def check_balance(subject: Subject, client: ChainClient, account: AccountId) -> Iterator[Finding]:
    """Look whether the wallet pays the gas of a whole job, and of some more."""
    gas = JOB_GAS.get(subject.role, max(JOB_GAS.values()))
    base_fee = client.get_head().base_fee_wei
    kept = subject.settings.reserve_wei if subject.settings else 0
    one = compute_reserve_wei(gas, base_fee)
    balance = client.get_balance(account)
    found = (
        f"{show_ether(balance)}; one job may take {show_ether(one)} for gas"
        + (f", {show_ether(kept)} are kept in reserve" if kept else "")
        + f" (base fee {base_fee / 1e9:.3g} gwei)"
    )
    remedy = f"send ETH to {account}; on a local chain: zkdps chain fund {account}"
    if balance < one + kept:
        yield failure("balance", found, remedy)
    elif balance < COMFORT * one + kept:
        yield warning("balance", found, remedy)
    else:
        yield ok("balance", found)


def check_stake(subject: Subject, ground: Ground, account: AccountId) -> Iterator[Finding]:
    """Look whether an operator's worker has an owner at large with stake for a job."""
    if subject.role != "operator":
        yield skipped("stake", "only an operator has one: --role operator")
        return
    contracts = bind_contracts(ground.client, ground.manifest)
    owner = contracts.vault.get_owner_of(account)
    if owner is None:
        yield explain_no_owner(contracts, account)
        return
    yield ok("worker", f"serves the owner {owner}")
    standing = contracts.vault.get_standing(owner)
    if standing.jailed_until:
        yield failure(
            "jail",
            f"{owner} is in jail until {standing.jailed_until} of the protocol's clock",
            "afterwards `zkdps operator unjail`, with the owner's or the worker's key",
        )
    free = contracts.vault.get_account(owner, ETH).free
    lock = contracts.market.compute_lock(ETH, subject.fee_wei)
    found = (
        f"{show_ether(free)} free; a job of {show_ether(subject.fee_wei)} locks {show_ether(lock)}"
    )
    if free < lock:
        yield failure(
            "stake",
            found,
            f"`zkdps operator stake --amount-wei {lock - free}` or more, with the owner's key",
        )
    else:
        yield ok("stake", f"{found}: enough for {free // lock} at a time")


def explain_no_owner(contracts: Contracts, account: AccountId) -> Finding:
    """Return why a key cannot take jobs."""
    if contracts.vault.get_worker_of(account) is not None:
        return failure(
            "worker", f"{account} is an owner's key", "run the operator with the worker's key"
        )
    served = contracts.vault.get_served_owner(account)
    if served is not None:
        return failure(
            "worker",
            f"{account} has left {served} and can serve nobody else",
            f"let {served} propose it again, or make another key",
        )
    return failure(
        "worker",
        f"{account} serves no owner",
        f"`zkdps operator propose --worker {account}` with the owner's key, then `operator join`",
    )


def check_bond(subject: Subject, ground: Ground, account: AccountId) -> Iterator[Finding]:
    """Look whether a challenger can pay the bond of every version it watches."""
    if subject.role != "challenger" or not subject.versions:
        yield skipped("bond", "for a challenger with --version")
        return
    game = bind_contracts(ground.client, ground.manifest).game
    balance = ground.client.get_balance(account)
    for text in subject.versions:
        bond = game.get_bond(parse_version(text))
        check = f"bond of {text[:12]}..."
        found = f"{show_ether(bond)} at this base fee; {show_ether(balance)} at hand"
        if balance <= bond:
            yield failure(check, found, f"send ETH to {account}")
        else:
            yield ok(check, found)


def check_credit(ground: Ground, account: AccountId) -> Iterator[Finding]:
    """Tell what waits in the vault."""
    credit = bind_contracts(ground.client, ground.manifest).vault.get_withdrawable(account)
    found = f"{show_ether(credit)} to be withdrawn" + (": `zkdps withdraw`" if credit else "")
    yield ok("credit", found)


def check_models(subject: Subject) -> Iterator[Finding]:
    """Look whether every published model folder is what its own digests say."""
    from offchain.commit.model_folder import GRAPH_FILE
    from offchain.submit.models import load_model

    if subject.models is None:
        yield skipped("models", "give --models to look at a folder of published models")
        return
    folders = sorted(path.parent for path in subject.models.glob(f"*/{GRAPH_FILE}"))
    if not folders:
        yield warning(
            "models",
            f"{subject.models} holds no model",
            "copy the registrant's folders there, or `zkdps model train`",
        )
    for folder in folders:
        check = f"model {folder.name}"
        try:
            model = load_model(folder)
        except OffchainError as error:
            yield failure(check, str(error), "get the folder from its registrant again")
            continue
        yield ok(check, f"graph 0x{model.graph.hash().hex()[:12]}..., files as their digests say")


def check_versions(subject: Subject, ground: Ground) -> Iterator[Finding]:
    """Reproduce every version named from its files, as roles do before they touch a job."""
    from offchain.roles.context import build_version_book

    if not subject.versions or subject.models is None:
        yield skipped("versions", "give --version, repeatedly, and --models")
        return
    contracts = bind_contracts(ground.client, ground.manifest)
    book = build_version_book(subject.models, ground.client, ground.manifest, contracts)
    for text in subject.versions:
        check = f"version {text[:12]}..."
        try:
            model = book.reproduce(parse_version(text)).model
        except OffchainError as error:
            yield failure(check, str(error), "use no version that cannot be reproduced")
            continue
        yield ok(check, f"every digest recomputed from {model.folder}")


def parse_version(text: str) -> VersionId:
    """Return a version's 32 bytes; raise ConfigError for anything else."""
    from offchain.cli.lookup import parse_version as parse

    return parse(text)
