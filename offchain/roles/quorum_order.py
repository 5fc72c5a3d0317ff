"""What a client does for a quorum: order it with its input, and whatever anybody may do for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offchain.chain.quorum_ids import compute_quorum_id
from offchain.errors import ContentError, ContractRevert
from offchain.roles.quorum_book import UNKNOWN, OpenQuorum, QuorumBook
from offchain.roles.quorum_steps import build_keeper_call, choose_keeper_step
from offchain.types import Quorum, QuorumId, QuorumTerms

if TYPE_CHECKING:
    from offchain.chain.client import Receipt
    from offchain.chain.contracts.quorum import Quorum as QuorumMarket
    from offchain.roles.account import Account
    from offchain.submit.content import ContentStore
    from offchain.submit.models import Model


def put_input(content: ContentStore, model: Model, raw: bytes, terms: QuorumTerms) -> None:
    """Put a quorum's input where its operators look; raises ContentError for another one's."""
    model.check_input(raw)
    digest = content.put(raw, model.input_bits, model.input_shape)
    if digest != terms.in_digest:
        raise ContentError(f"the input's digest is 0x{digest.hex()}, not the order's")


def place_quorum(account: Account, terms: QuorumTerms) -> tuple[QuorumId, Receipt | None]:
    """Order a quorum unless exactly this was ordered before; the account is its client."""
    market = account.contracts.quorum
    quorum = compute_quorum_id(account.client.chain_id, market.address, terms)
    if find_quorum(market, quorum) is not None:
        return quorum, None
    return quorum, account.send(market.build_create(terms, terms.in_digest.hex()))


def find_quorum(market: QuorumMarket, quorum: QuorumId) -> Quorum | None:
    """Return a quorum at the head, or None where there is none."""
    try:
        return market.get_quorum(quorum)
    except ContractRevert as revert:
        if revert.name != UNKNOWN:
            raise
        return None


def keep_quorum(account: Account, quorum: QuorumId) -> tuple[str, Receipt] | None:
    """Take the step of a quorum that anybody may take now; return it, or None for none."""
    book = open_book(account)
    found = book.find(quorum)
    step = None if found is None else choose_step(account, book, found)
    if found is None or step is None:
        return None
    call = build_keeper_call(account.contracts.quorum, found, step)
    return step, account.send(call)


def choose_step(account: Account, book: QuorumBook, quorum: OpenQuorum) -> str | None:
    """Return the step that anybody may take now."""
    return choose_keeper_step(book, quorum, account.contracts.market.get_time())


def open_book(account: Account) -> QuorumBook:
    """Return what reads quorums at the head for an account without an event cursor."""
    return QuorumBook(account.client.chain_id, account.contracts)
