"""Keys in data contracts: whoever proves a part puts its key on chain, once."""

from __future__ import annotations

from typing import Final

from eth_hash.auto import keccak

from offchain.chain.binding import checksum
from offchain.chain.client import Call
from offchain.chain.data_contract import (
    build_data_contract,
    build_index_contract,
    get_code_of,
    split_content,
)
from offchain.chain.journal import StepKey, StepStatus
from offchain.errors import OffchainError
from offchain.roles.context import Context
from offchain.types import Address

KEY: Final = "key-"  # how the journal's jobs of keys begin


def publish_key(context: Context, blob: bytes) -> Address:
    """Return the data contract of a key, which this role's journal remembers once it is created.

    Raises OffchainError where the chain holds another code than was sent.
    """
    job = f"{KEY}0x{keccak(blob).hex()}"
    parts = [
        _create(context, context.key(job, f"part-{k}"), build_data_contract(piece))
        for k, piece in enumerate(split_content(blob))
    ]
    if len(parts) == 1:
        return parts[0]
    return _create(context, context.key(job, "index"), build_index_contract(parts))


def _create(context: Context, key: StepKey, creation: Call) -> Address:
    created = context.submitter.submit(key, creation).created
    if created is None or context.client.get_code(created) != get_code_of(creation):
        raise OffchainError(f"{key.step} of {key.job} is not at {created}: it was not created")
    context.journal.put_step(key, StepStatus.DONE)
    return checksum(created)
