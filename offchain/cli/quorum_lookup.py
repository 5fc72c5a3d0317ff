"""Quorums as people name them, and all that the chain holds of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from offchain.chain.contracts.quorum import QUORUM_CREATED
from offchain.cli.lookup import DIGITS, PREFIX
from offchain.errors import ConfigError
from offchain.types import ETH, CreatedQuorum, QuorumId

if TYPE_CHECKING:
    from offchain.chain.client import ChainClient
    from offchain.chain.manifest import Manifest
    from offchain.roles.context import Contracts


def list_created(
    client: ChainClient, manifest: Manifest, contracts: Contracts, quorum: str | None = None
) -> Sequence[CreatedQuorum]:
    """Return the quorums that the chain's logs name, oldest first; of one id if given."""
    market = contracts.quorum
    topics: list[str | None] = [market.abi.get_topic(QUORUM_CREATED), quorum]
    last = client.get_head().number
    logs = client.collect_logs([market.address], manifest.first_block, last, topics)
    events = filter(None, map(market.abi.decode_event, logs))
    return tuple(market.read_created(event) for event in events)


def find_quorum_named(
    client: ChainClient, manifest: Manifest, contracts: Contracts, named: str
) -> QuorumId:
    """Return the quorum of an id or of its first digits; raise ConfigError unless it is one."""
    text = named.strip().lower()
    if not PREFIX.fullmatch(text):
        raise ConfigError(f"quorum {named!r}: 0x and up to {DIGITS} hex digits")
    prefix = "0x" + text.removeprefix("0x")
    whole = prefix if len(prefix) == DIGITS + 2 else None
    found = {created.id for created in list_created(client, manifest, contracts, whole)}
    matching = sorted(quorum for quorum in found if quorum.startswith(prefix))
    if len(matching) != 1:
        told = "is ambiguous" if matching else "is none of this chain"
        raise ConfigError(f"quorum {prefix} {told}")
    return matching[0]


def describe_quorum(chain_id: int, contracts: Contracts, quorum: QuorumId) -> dict[str, Any]:
    """Return all that the chain holds of a quorum, and what anybody may do for it now."""
    from offchain.roles.quorum_book import QuorumBook
    from offchain.roles.quorum_steps import choose_keeper_step

    book, time = QuorumBook(chain_id, contracts), contracts.market.get_time()
    found = book.find(quorum)
    if found is None:
        raise ConfigError(f"quorum {quorum} is none of this chain")
    facts, terms = found.facts, found.facts.terms
    step = choose_keeper_step(book, found, time)
    return {
        "quorum": facts.id,
        "state": facts.state.name,
        "assurance": contracts.quorum.get_assurance(quorum).name,
        "next": None if step is None else step.partition(":")[0],
        "clock": int(time.now),
        "deadline": None if facts.state.is_over else int(facts.deadline),
        "client": terms.client,
        "version": "0x" + terms.version.hex(),
        "token": "ETH" if terms.token == ETH else terms.token,
        "fee": int(terms.fee),
        "count": terms.count,
        "insured": int(terms.insured),
        "audited": terms.is_audited,
        "in_digest": "0x" + terms.in_digest.hex(),
        "out_digest": "0x" + facts.out_digest.hex() if any(facts.out_digest) else None,
        "suspect": facts.is_suspect,
        "replicas": [
            {
                "replica": index,
                "operator": replica.operator,
                "state": replica.state.name,
                "job": book.get_job_id(found, index),
                "out_digest": "0x" + replica.out_digest.hex() if any(replica.out_digest) else None,
            }
            for index, replica in enumerate(found.replicas)
        ],
    }
