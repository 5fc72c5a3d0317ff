"""What the gateway remembers beside the index: content, receipts, orders, requests.

Ids, digests and addresses are texts as the API writes them; amounts are decimal texts inside JSON.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

SCHEMA: Final = MetaData()

CONTENT: Final = Table(
    "gateway_content",
    SCHEMA,
    Column("space", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("bits", Integer, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("columns", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("locator", Text, nullable=False),  # how the storage names it; empty: by the digest
    Column("owner", Text, nullable=False),  # client address that uploaded it last
    Column("uploaded_at", BigInteger, nullable=False),  # protocol's clock
    Column("check_at", BigInteger, nullable=False),  # when to look whether it is still needed
)
Index("gateway_content_by_check", CONTENT.c.space, CONTENT.c.check_at)
Index("gateway_content_by_locator", CONTENT.c.space, CONTENT.c.locator)

# Derived from the content, in the same transactions: a quota is looked up at every upload.
USAGE: Final = Table(
    "gateway_usage",
    SCHEMA,
    Column("space", Text, primary_key=True),
    Column("owner", Text, primary_key=True),  # empty: all together
    Column("bytes", BigInteger, nullable=False),
)

RECEIPTS: Final = Table(
    "gateway_receipts",
    SCHEMA,
    Column("space", Text, primary_key=True),
    Column("job", Text, primary_key=True),
    Column("out_digest", Text, primary_key=True),
    Column("signature", Text, nullable=False),
    Column("signer", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),  # protocol's clock
)

ORDERS: Final = Table(
    "gateway_orders",
    SCHEMA,
    Column("space", Text, primary_key=True),
    Column("hash", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),  # order of arrival, from 1
    Column("client", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("in_digest", Text, nullable=False),
    Column("take_until", BigInteger, nullable=False),
    Column("fields", Text, nullable=False),  # JSON, as it was signed
    Column("signature", Text, nullable=False),
    Column("state", Text, nullable=False),  # open, taken, cancelled or expired
    Column("settled_at", BigInteger, nullable=False),  # protocol's clock; 0 while it is open
    Column("job", Text),
)
Index("gateway_orders_by_number", ORDERS.c.space, ORDERS.c.state, ORDERS.c.number)
Index("gateway_orders_by_client", ORDERS.c.space, ORDERS.c.client, ORDERS.c.state)
Index("gateway_orders_by_settlement", ORDERS.c.space, ORDERS.c.settled_at)
Index("gateway_orders_by_input", ORDERS.c.space, ORDERS.c.in_digest)

REQUESTS: Final = Table(
    "gateway_requests",
    SCHEMA,
    Column("space", Text, primary_key=True),
    Column("session", Text, primary_key=True),
    Column("nonce", BigInteger, primary_key=True, autoincrement=False),
    Column("in_digest", Text, nullable=False),
    Column("valid_until", BigInteger, nullable=False),
    Column("signature", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("state", Text, nullable=False),  # open, served or expired
    Column("out_digest", Text),  # of the signed result, or of the leaf of a batch
    Column("batch", Text),
    Column("settled_at", BigInteger, nullable=False),  # protocol's clock; 0 while it is open
    Column("received_at", BigInteger, nullable=False),  # protocol's clock
)
Index(
    "gateway_requests_by_state", REQUESTS.c.space, REQUESTS.c.session, REQUESTS.c.state,
    REQUESTS.c.nonce,
)  # fmt: skip
Index("gateway_requests_by_settlement", REQUESTS.c.space, REQUESTS.c.settled_at)
Index("gateway_requests_by_input", REQUESTS.c.space, REQUESTS.c.in_digest)
Index("gateway_requests_by_output", REQUESTS.c.space, REQUESTS.c.out_digest)
