"""The protocol for programs: ten lines from numbers to a verified result.

    from offchain import Client

    client = Client.connect("https://gateway", key_file="client.key")
    job = client.submit(version, pixels, fee="market")
    job.wait()
    job.verify()
    print(job.label)

`Client` blocks, `AsyncClient` does the same in threads. See the README's section on the SDK.
"""

from offchain.sdk.asynchronous import (
    AsyncClient,
    AsyncJob,
    AsyncPendingResult,
    AsyncPlacedOrder,
    AsyncSession,
)
from offchain.sdk.client import Client, ModelVersion
from offchain.sdk.job import Challenge, Job
from offchain.sdk.orders import PlacedOrder
from offchain.sdk.pending import PendingResult
from offchain.sdk.session import Session

__all__ = [
    "AsyncClient",
    "AsyncJob",
    "AsyncPendingResult",
    "AsyncPlacedOrder",
    "AsyncSession",
    "Challenge",
    "Client",
    "Job",
    "ModelVersion",
    "PendingResult",
    "PlacedOrder",
    "Session",
]
