"""The chain: endpoints, their agreement, clock, the deployment and the reference string."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from offchain.chain.abi import ErrorBook
from offchain.chain.artifacts import find_packaged_manifest, list_artifacts, load_artifact
from offchain.chain.client import ChainClient
from offchain.chain.clock import MAX_DRIFT_S, MAX_HEAD_AGE_S, compute_drift_s
from offchain.chain.endpoint import Endpoint, EndpointFailed, RpcError, parse_urls
from offchain.chain.manifest import Manifest, load_manifest, verify_code
from offchain.chain.rpc import BEHIND_BLOCKS, Rpc
from offchain.cli.doctor.finding import Finding, Subject, failure, ok, warning
from offchain.commit.srs import VARIABLE, choose_srs, insecure_srs_id
from offchain.errors import ManifestError, OffchainError, SrsError
from offchain.params.settings import LOCAL_CHAIN_IDS

BACK_BLOCKS: Final = 20  # over which the time between blocks is averaged
SLOW_BLOCKS: Final = 10  # a head older than so many blocks' time does not move


@dataclass(frozen=True)
class View:
    """One endpoint's answers."""

    endpoint: Endpoint
    chain_id: int
    head: int


@dataclass(frozen=True)
class Ground:
    """A chain that answers, with the deployment that was looked for on it."""

    client: ChainClient
    manifest: Manifest


def check_endpoints(subject: Subject) -> Iterator[Finding]:
    """Look whether endpoints answer, serve one chain, and tell the same history of it."""
    views, silent = [], 0
    urls = parse_urls(subject.rpc_url)
    for url in urls:
        endpoint = Endpoint(url)
        name = f"endpoint {endpoint.name}"
        try:
            chain_id = int(endpoint.probe("eth_chainId"), 16)
            head = int(endpoint.probe("eth_blockNumber"), 16)
        except (EndpointFailed, RpcError) as error:
            silent += 1
            level = failure if silent == len(urls) else warning
            yield level(
                name, str(error), "start the node, or mend --rpc; `zkdps chain up` runs a local one"
            )
            continue
        views.append(View(endpoint, chain_id, head))
        yield ok(name, f"chain {chain_id}, block {head}")
    if len(urls) == 1 and views:
        yield ok("agreement of endpoints", "one endpoint: its word is not checked by another's")
    elif len(views) > 1:
        yield compare_views(views)


def compare_views(views: list[View]) -> Finding:
    """Return whether endpoints serve one chain, of one history, at about one height."""
    name = "agreement of endpoints"
    if len({view.chain_id for view in views}) > 1:
        listed = ", ".join(f"{v.endpoint.name}: chain {v.chain_id}" for v in views)
        return failure(name, listed, "name endpoints of one chain in --rpc")
    common = min(view.head for view in views)
    hashes = set()
    for view in views:
        block = view.endpoint.probe("eth_getBlockByNumber", (hex(common), False))
        hashes.add(None if block is None else block["hash"])
    if len(hashes) > 1:
        return failure(
            name,
            f"they disagree about block {common}",
            "wait for a block: a reorganisation passes; if it stays, one of them is on a fork",
        )
    behind = [v for v in views if v.head < max(w.head for w in views) - BEHIND_BLOCKS]
    if behind:
        listed = ", ".join(f"{v.endpoint.name} at {v.head}" for v in behind)
        return warning(name, f"behind the others: {listed}", "let it catch up, or replace it")
    return ok(name, f"{len(views)} endpoints agree on block {common}")


def check_head(subject: Subject, client: ChainClient) -> Iterator[Finding]:
    """Look whether the head moves and this machine's clock is the chain's."""
    head = client.get_head()
    earlier = client.get_block(max(0, head.number - BACK_BLOCKS))
    blocks = head.number - earlier.number if earlier else 0
    pace_s = (head.timestamp - earlier.timestamp) / blocks if earlier and blocks else 0.0
    drift_s = compute_drift_s(head, time.time())
    settings = subject.settings
    max_age_s = settings.max_head_age_s if settings else MAX_HEAD_AGE_S
    max_drift_s = settings.max_drift_s if settings else MAX_DRIFT_S
    found = f"block {head.number}, {drift_s:.0f} s old; a block takes {pace_s:.1f} s"
    if drift_s > max(max_age_s, SLOW_BLOCKS * pace_s):
        yield failure(
            "head", found, "the node does not follow its chain, or this clock is fast: look at both"
        )
    elif drift_s > max_drift_s + pace_s:
        yield warning("head", found, "compare this machine's clock with a time server")
    elif drift_s < -max_drift_s:
        yield warning(
            "head",
            f"block {head.number} is {-drift_s:.0f} s ahead of this machine's clock",
            "set the clock; on a local chain whose time was moved this is as it should be",
        )
    else:
        yield ok("head", found)


def check_manifest(subject: Subject, client: ChainClient) -> Iterator[Finding]:
    """Look whether the manifest is of this chain."""
    path = find_manifest(subject, client.chain_id)
    if path is None:
        yield failure(
            "manifest",
            f"none given, and this package knows no deployment on chain {client.chain_id}",
            "give --manifest; `zkdps chain deploy` writes one",
        )
        return
    try:
        manifest = load_manifest(path)
    except ManifestError as error:
        yield failure("manifest", str(error), "get the deployment's own manifest, or deploy again")
        return
    if manifest.chain_id != client.chain_id:
        yield failure(
            "manifest",
            f"{path} is of chain {manifest.chain_id}, the node serves chain {client.chain_id}",
            "mend --rpc or --manifest",
        )
        return
    yield ok("manifest", f"{path}: chain {manifest.chain_id}, preset {manifest.preset}")


def check_code(ground: Ground) -> Iterator[Finding]:
    """Compare the code at the manifest's addresses with the manifest and with this package."""
    known = list_artifacts()
    for name, deployment in ground.manifest.contracts.items():
        check = f"code of {name}"
        code = ground.client.get_code(deployment.address)
        try:
            verify_code(name, deployment, code)
        except ManifestError as error:
            yield failure(check, str(error), "use the manifest of this very chain")
            continue
        if name not in known:
            yield ok(check, "as deployed; this package holds no copy to compare")
        elif load_artifact(name).is_code_of(code):
            yield ok(check, "as deployed, and what this package was built with")
        else:
            yield warning(
                check,
                "as deployed, but from other sources than this package's",
                "use the package's version that belongs to the deployment",
            )


def check_srs(ground: Ground) -> Iterator[Finding]:
    """Look at the reference string: whoever knows its secret forges proofs."""
    wanted = ground.manifest.srs_id
    srs = "0x" + wanted.hex()[:12]
    # The manifest's own word is not enough: the development string is known by its identifier.
    if not ground.manifest.srs_insecure and wanted != insecure_srs_id():
        yield ok("reference string", f"{srs}..., from a ceremony")
    elif ground.manifest.chain_id in LOCAL_CHAIN_IDS:
        yield ok("reference string", f"{srs}..., INSECURE development string on a local chain")
    else:
        yield failure(
            "reference string",
            f"{srs}..., INSECURE development string: anybody can forge proofs",
            "put no money on this deployment; deploy with a string from a ceremony",
        )
    try:
        chosen = choose_srs()
    except SrsError as error:
        yield failure("powers of tau", str(error), f"mend {VARIABLE}, or `zkdps srs import` again")
        return
    where = "made on this machine" if chosen.path is None else str(chosen.path)
    if chosen.id == wanted:
        yield ok("powers of tau", f"{where}, of the deployment's reference string")
    else:
        yield failure(
            "powers of tau",
            f"{where}, of another reference string: 0x{chosen.id.hex()[:12]}...",
            f"{VARIABLE} names the deployment's file of powers; `zkdps srs import` makes one from "
            "a ceremony's .ptau file",
        )


def check_protocol(ground: Ground) -> Iterator[Finding]:
    """Look whether the protocol runs: neither paused nor in refund mode."""
    from offchain.roles.context import bind_contracts

    state = bind_contracts(ground.client, ground.manifest).market.get_time()
    if state.is_refund_mode:
        yield failure(
            "protocol",
            "in refund mode, for ever",
            "take no jobs; `zkdps withdraw` and unbonding still work",
        )
    elif state.is_paused:
        yield warning("protocol", "paused by its guardian; deadlines stand still", "wait")
    else:
        yield ok("protocol", "runs")


def find_manifest(subject: Subject, chain_id: int) -> Path | None:
    """Return the manifest that was given, or the one that the package has for this chain."""
    return subject.manifest or find_packaged_manifest(chain_id)


def open_client(subject: Subject) -> ChainClient | None:
    """Return the chain, or None where no endpoint answers; `check_endpoints` says why."""
    try:
        path = subject.manifest
        errors = load_manifest(path).build_error_book() if path else None
    except ManifestError:
        errors = None
    try:
        return ChainClient(Rpc(subject.rpc_url), errors or ErrorBook(()))
    except OffchainError:
        return None


def open_ground(subject: Subject, client: ChainClient) -> Ground | None:
    """Return chain and deployment, or None where they do not belong together."""
    path = find_manifest(subject, client.chain_id)
    try:
        manifest = load_manifest(path) if path else None
    except ManifestError:
        return None
    if manifest is None or manifest.chain_id != client.chain_id:
        return None
    return Ground(client, manifest)
