"""One's own copies of jobs' inputs: nobody who can delete the shared ones stops a dispute."""

from __future__ import annotations

from typing import Final

from offchain.errors import ContentError
from offchain.roles.context import Context
from offchain.submit.content import FolderStore
from offchain.types import Digest, Job, VersionId

INPUTS: Final = "inputs"  # folder of own copies in the home folder


class InputCopies:
    """Reads inputs, from the copy that was made when they were first read."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def read(self, job: Job) -> bytes:
        """Return a job's input; raise ContentError where it is nowhere, NoSuchJob without terms."""
        return self.fetch(job.version, self._context.get_terms(job.id).in_digest)

    def fetch(self, version: VersionId, digest: Digest) -> bytes:
        """Return an input of a version; raise ContentError where it is nowhere."""
        context = self._context
        model = context.versions.reproduce(version).model
        form = (model.input_bits, model.input_shape)
        own = FolderStore(context.settings.home / INPUTS)
        try:
            return own.get(digest, *form)
        except ContentError:
            raw = context.content.get(digest, *form)
            own.put(raw, *form)
            return raw
