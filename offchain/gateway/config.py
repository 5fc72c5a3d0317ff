"""What the user of a gateway may change; no secrets in it, those come from the environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from offchain.errors import ConfigError

STORAGES: Final = ("folder", "s3", "ipfs")
MIB: Final = 2**20
DAY_S: Final = 24 * 60 * 60


@dataclass(frozen=True)
class Limits:
    """What one client, and all of them together, may use."""

    max_content_bytes: int = 8 * MIB  # of one upload
    max_json_bytes: int = 64 * 2**10  # of any other body
    requests_per_minute: int = 6000  # of one client address
    writes_per_minute: int = 600  # of one client address
    upload_bytes_per_minute: int = 64 * MIB  # of one client address
    download_bytes_per_minute: int = 512 * MIB  # of one client address; each byte is hashed again
    stored_bytes: int = 10 * 2**30  # of all content together
    stored_bytes_per_client: int = 2**30  # uploads of one client address that are still kept
    body_timeout_s: float = 20.0  # from the head of a request to the end of its body
    uploads_at_once: int = 32  # large bodies that are in memory at one time
    uploads_at_once_per_client: int = 8
    downloads_at_once: int = 128  # large answers that are in memory at one time
    downloads_at_once_per_client: int = 16
    open_orders: int = 20_000  # of all accounts together
    orders_per_client: int = 64  # open orders of one account
    requests_per_session: int = 1024  # requests of a session that are not served yet
    longest_validity_s: int = 30 * DAY_S  # of an order or a request, from now on
    streams: int = 256  # clients that listen to events at one time
    streams_per_client: int = 8

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value <= 0:
                raise ConfigError(f"{name} is a limit: more than 0")


@dataclass(frozen=True)
class Storage:
    """Where bytes are kept. Credentials of a bucket are read from its client's own environment."""

    kind: str = "folder"
    folder: Path | None = None  # None: `content` in the home folder
    bucket: str = ""  # s3
    endpoint: str = ""  # s3: endpoint where it is not AWS; ipfs: the node's HTTP API
    prefix: str = "zkdps/"  # s3: beginning of every key

    def __post_init__(self) -> None:
        if self.kind not in STORAGES:
            raise ConfigError(f"storage {self.kind!r}: one of {', '.join(STORAGES)}")
        if self.kind == "s3" and not self.bucket:
            raise ConfigError("storage s3 needs a bucket")
        if self.kind == "ipfs" and not self.endpoint:
            raise ConfigError("storage ipfs needs the endpoint of a node's HTTP API")


@dataclass(frozen=True)
class GatewayConfig:
    """How one gateway runs. Paths are absolute."""

    manifest: Path  # deployments/<chainId>.json
    rpc_url: str  # several endpoints, best first, are separated by commas
    home: Path  # database, index, and content in folders
    models: Path | None = None  # a folder of published model folders
    public_rpc_url: str = ""  # the node that /config names to browsers; rpc_url may hold a token
    storage: Storage = field(default_factory=Storage)
    limits: Limits = field(default_factory=Limits)
    dapp_origins: tuple[str, ...] = ()  # origins of web pages that may call; "*" is any
    trust_proxy: bool = False  # believe the last address of X-Forwarded-For
    confirmations: int = 1  # blocks that the index waits for, an event's own included
    poll_s: float = 1.0  # pause between looks at the chain
    retention_s: int = DAY_S  # of the protocol's clock: after the last use, or after an upload
    sweep_s: float = 60.0  # pause between sweeps of what is not kept any more
    access_log: bool = False  # a line about each request
    database_url: str = ""  # postgresql://user@host/name; empty: SQLite in the home folder

    def __post_init__(self) -> None:
        if self.confirmations < 1:
            raise ConfigError("confirmations counts the event's own block: at least 1")
        if self.poll_s <= 0 or self.sweep_s <= 0:
            raise ConfigError("poll_s and sweep_s are pauses: more than 0")
        if self.retention_s < 0:
            raise ConfigError("retention_s is a duration: at least 0")
        for origin in self.dapp_origins:
            if origin != "*" and not origin.startswith(("http://", "https://")):
                raise ConfigError(f"origin {origin!r}: scheme and host, such as https://host")

    @property
    def database(self) -> Path:
        """Return the database's file."""
        return self.home / "gateway.sqlite3"
