"""A result: bytes that have the committed digest, as numbers, as a class, and recomputed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offchain.commit.digest import decode_tensor
from offchain.errors import ContentError, WrongResult
from offchain.sdk.connection import Connection
from offchain.submit.content import compute_digest
from offchain.submit.models import Model
from offchain.types import Digest, JobId, VersionId

Array = npt.NDArray[np.int64]
DELIVERED = "OutputDelivered"


@dataclass(frozen=True)
class Subject:
    """A job whose input is known: one of the market's, or a request's of a session."""

    id: JobId
    version: VersionId
    in_digest: Digest
    raw_input: bytes | None  # None: fetched by digest when it is needed


class Results:
    """What can be said about the output of one job."""

    def __init__(self, connection: Connection, subject: Subject) -> None:
        self._connection = connection
        self._subject = subject
        self._outputs: dict[Digest, bytes] = {}

    @property
    def model(self) -> Model:
        """Return the version's model, reproduced from its files; raises as `reproduce` does."""
        return self._connection.versions.reproduce(self._subject.version).model

    def fetch(self, digest: Digest) -> bytes:
        """Return the bytes of an output; raise ContentError where nobody has them.

        From the content store, else from the chain, where a client had them delivered.
        """
        if digest not in self._outputs:
            self._outputs[digest] = self._fetch(digest)
        return self._outputs[digest]

    def decode(self, digest: Digest) -> Array:
        """Return an output as int64 of the version's output shape; raises like `fetch`."""
        model, raw = self.model, self.fetch(digest)
        return decode_tensor(raw, model.output_shape, model.output_bits, model.graph.output)

    def decide(self, digest: Digest) -> int:
        """Return the winning class of an output; raises like `fetch`."""
        return self.model.decide(self.fetch(digest))

    def recompute(self) -> tuple[Digest, bytes]:
        """Run the model here, on the reference path; return the right digest and output.

        Raises ContentError where the input cannot be had.
        """
        model, subject = self.model, self._subject
        raw_input = subject.raw_input
        if raw_input is None:
            raw_input = self._connection.content.get(
                subject.in_digest, model.input_bits, model.input_shape
            )
        model.check_input(raw_input)
        raw = model.run(raw_input, "numpy")
        return compute_digest(raw, model.output_bits, model.output_shape), raw

    def verify(self, committed: Digest) -> None:
        """Raise WrongResult unless the committed digest is that of the result computed here."""
        digest, raw = self.recompute()
        if digest != committed:
            raise WrongResult(self._subject.id, committed, digest)
        self._outputs[digest] = raw

    def _fetch(self, digest: Digest) -> bytes:
        model = self.model
        try:
            return self._connection.content.get(digest, model.output_bits, model.output_shape)
        except ContentError:
            for raw in self._find_delivered():
                try:
                    if compute_digest(raw, model.output_bits, model.output_shape) == digest:
                        return raw
                except ContentError:
                    continue  # of another size
            raise

    def _find_delivered(self) -> tuple[bytes, ...]:
        client, market = self._connection.client, self._connection.contracts.market
        topics = [market.abi.get_topic(DELIVERED), self._subject.id]
        first, last = self._connection.manifest.first_block, client.get_head().number
        logs = client.collect_logs([market.address], first, last, topics)
        events = filter(None, map(market.abi.decode_event, logs))
        return tuple(bytes(event.arguments["output"]) for event in events)
