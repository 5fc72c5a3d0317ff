"""Content in a bucket of any S3-compatible service, through boto3.

Credentials come from where boto3 looks for them (environment, profile, instance), never from here.
"""

from __future__ import annotations

from typing import Any, Final

from offchain.errors import MissingDependencyError, StorageError
from offchain.types import Digest

CONNECT_S: Final = 5
READ_S: Final = 20
ATTEMPTS: Final = 3
MISSING: Final = frozenset({"404", "NoSuchKey", "NotFound"})


class S3Backend:
    """A bucket; a key is the prefix and the digest. Clients of boto3 may be shared by threads."""

    is_content_addressed = False

    def __init__(self, bucket: str, prefix: str = "", endpoint: str = "") -> None:
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError, ClientError
        except ModuleNotFoundError:
            raise MissingDependencyError("boto3", "s3") from None
        self._bucket, self._prefix = bucket, prefix
        self._failures = (BotoCoreError, ClientError)
        config = Config(
            connect_timeout=CONNECT_S,
            read_timeout=READ_S,
            retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            # Other services than AWS know neither virtual hosts nor the later checksums.
            s3={"addressing_style": "path" if endpoint else "auto"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        try:
            session = boto3.session.Session()
            self._client: Any = session.client("s3", endpoint_url=endpoint or None, config=config)
        except (*self._failures, ValueError) as error:
            raise self._translate(error) from None

    def put(self, digest: Digest, raw: bytes) -> str:
        """Store an object, which readers see whole or not at all; raises StorageError."""
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._key(digest),
                Body=raw,
                ContentType="application/octet-stream",
            )
        except self._failures as error:
            raise self._translate(error) from None
        return ""

    def get(self, digest: Digest, locator: str, size: int) -> bytes | None:  # noqa: ARG002
        """Return an object's first size + 1 bytes, or None; raises StorageError."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=self._key(digest))
            with found["Body"] as body:
                raw: bytes = body.read(size + 1)
        except self._failures as error:
            if _get_code(error) in MISSING:
                return None
            raise self._translate(error) from None
        except OSError as error:  # of the connection, while the body is read
            raise self._translate(error) from None
        return raw

    def delete(self, digest: Digest, locator: str) -> None:  # noqa: ARG002
        """Delete an object; raises StorageError."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=self._key(digest))
        except self._failures as error:
            raise self._translate(error) from None

    def _key(self, digest: Digest) -> str:
        return f"{self._prefix}{digest.hex()}"

    def _translate(self, error: Exception) -> StorageError:
        # Messages of the library may quote signed URLs.
        return StorageError(f"bucket {self._bucket}: {_get_code(error) or type(error).__name__}")


def _get_code(error: Exception) -> str:
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""
