"""Put a verification key on chain: data contracts, each created once (FORMAT.md 4)."""

from __future__ import annotations

from typing import Final

from eth_hash.auto import keccak

from offchain.chain.binding import checksum
from offchain.chain.client import Call, ChainClient
from offchain.chain.data_contract import (
    MAX_PIECE_BYTES,
    build_data_contract,
    build_index_contract,
    get_code_of,
    split_content,
)
from offchain.chain.journal import StepKey
from offchain.errors import OffchainError
from offchain.submit.transactions import Submitter
from offchain.types import Address

INDEX: Final = "index"


def publish_key(
    submitter: Submitter,
    client: ChainClient,
    role: str,
    vk_blob: bytes,
    piece_bytes: int = MAX_PIECE_BYTES,
) -> Address:
    """Return the data contract of a key, created in as many transactions as it has parts.

    What the submitter's journal knows as created for this key is not created again, so that an
    upload that was interrupted goes on. Raises OffchainError where the chain holds another code
    than was sent.
    """
    job = f"key-0x{keccak(vk_blob).hex()}-{piece_bytes}"

    def create(step: str, creation: Call) -> Address:
        created = submitter.submit(StepKey(role, job, step), creation).created
        if created is None or client.get_code(created) != get_code_of(creation):
            raise OffchainError(f"{step} of the key is not at {created}: it was not created")
        return checksum(created)

    pieces = split_content(vk_blob, piece_bytes)
    parts = [create(f"part-{k}", build_data_contract(piece)) for k, piece in enumerate(pieces)]
    return parts[0] if len(parts) == 1 else create(INDEX, build_index_contract(parts))
