"""What the user of a role may change: one JSON file in the role's home folder, no secrets in it."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from offchain.errors import ConfigError

FILE_NAME: Final = "agent.json"
HOME_VARIABLE: Final = "ZKDPS_HOME"  # tells a worker process whose home folder it serves
# What this package makes for itself, unless told otherwise: models, journals.
DATA_FOLDER: Final = (
    Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "zkdps"
)
LOCAL_CHAIN_IDS: Final = frozenset({1337, 31337})  # Ganache's and Hardhat/Anvil's development ids
PATHS: Final = ("home", "manifest", "key_file", "models", "password_file", "signer_ca_file")
MAX_WORKERS: Final = 16  # a node's pool keeps about so many of an account, and of a client
MAX_BATCH: Final = 256  # results in one commitment, as in `contracts/core/SessionMarket.sol`
FAULTS: Final = frozenset(
    {
        "", "perturbed-weights", "wrong-operator", "lazy", "late", "vanish", "equivocate",
        "withhold", "withhold-trace", "copy",
    }
)  # fmt: skip
# How a wrong result is disputed: pinpoint where the version allows it, or always in one way.
GAMES: Final = frozenset({"auto", "pinpoint", "prove"})
GRANULARITIES: Final = frozenset({"op", "layer"})


def is_url(place: str) -> bool:
    """Whether a place is a gateway's URL, and not a folder."""
    return place.startswith(("http://", "https://"))


@dataclass(frozen=True)
class Settings:
    """How one role runs. Paths are absolute; keys are named by file and never held here."""

    role: str  # operator, client or challenger
    home: Path  # journal, cursor, broker and logs
    rpc_url: str  # several endpoints, best first, are separated by commas
    manifest: Path  # deployments/<chainId>.json
    key_file: Path | None  # 0600 hex, or a keystore; None with a remote signer
    content: str  # inputs and outputs by digest: an absolute folder, or a gateway's URL
    models: Path  # a folder of published model folders
    password_file: Path | None = None
    signer_url: str = ""  # remote signer, see offchain.chain.remote_signer
    signer_address: str = ""  # the account it signs for
    signer_api: str = "rpc"  # rpc or rest
    signer_ca_file: Path | None = None  # certificate authority of its TLS
    confirmations: int = 1  # blocks, the event's own included; 1 trusts the head
    poll_s: float = 0.5  # pause between ticks, wall clock
    workers: int = 8  # steps performed at once: most of a step's time is waiting for a block
    broker_url: str = ""  # empty: SQLite in the home folder, no server
    broker_queue: str = ""  # machines that work for one account share it; empty: this home's own
    database_url: str = ""  # postgresql://user@host/name; empty: SQLite in the home folder
    reserve_wei: int = 0  # kept for gas beyond what open jobs need
    max_head_age_s: float = 300.0  # a head that stood still for longer begins nothing bonded
    max_drift_s: float = 60.0  # machine's clock against the head's timestamp: a warning
    owner: str = ""  # operator: the one owner it may serve; empty: whom it serves already
    min_fee_wei: int | None = None  # operator: fee floor; None: what a job's gas costs now
    accept_token: bool = False  # operator: also take jobs paid in the ERC-20
    min_fee_token: int = 0  # operator: fee floor of those, in the token's units
    gateway: str = ""  # operator: where signed orders and sessions' requests come from
    min_session_fee_wei: int | None = None  # operator: floor of a session's fee; None: as above
    batch_size: int = 64  # operator: results of a session that are committed together
    batch_seconds: int = 10  # operator: the longest that a result waits for others, block time
    pull: bool = False  # fetch the files of a version that is not among the models
    request_delivery: bool = False  # client: pay for an output on chain that cannot be fetched
    backend: str = "auto"  # numpy, torch, or auto: torch where it is installed
    challenge_always: bool = False  # challenger: also challenge results that look right
    game: str = "auto"  # challenger: see GAMES
    collect: bool = True  # withdraw credit as soon as there is any
    granularity: str = "op"  # operator: how fine its traces are, see GRANULARITIES
    post_traces: bool = False  # operator: post every result's trace before anybody asks for it
    whole_proofs: bool = False  # operator: also take what only proofs of whole results defend
    rescue: bool = False  # operator: also answer disputes over others' traces
    replicas: str = ""  # operator: versions whose replicas it serves, separated by commas
    tag: str = ""  # operator: owner that admitted it; those of one tag serve no quorum together
    watch_quorums: bool = False  # challenger: also take wrong replicas out of quorums
    audit: bool = False  # challenger: have the beacon decide which results must be proven
    prover_memory_mib: int = 2048  # limit of the prover's child process
    prover_timeout_s: float = 60.0
    fault: str = ""  # drills on development chains only: see FAULTS

    def __post_init__(self) -> None:
        if self.confirmations < 1:
            raise ConfigError("confirmations counts the event's own block: at least 1")
        if not 1 <= self.workers <= MAX_WORKERS:
            raise ConfigError(f"workers: 1 to {MAX_WORKERS} steps at once")
        if self.reserve_wei < 0:
            raise ConfigError("reserve_wei is an amount: at least 0")
        if (self.min_fee_wei or 0) < 0 or self.min_fee_token < 0:
            raise ConfigError("min_fee_wei and min_fee_token are amounts: at least 0")
        if (self.min_session_fee_wei or 0) < 0 or self.batch_seconds < 0:
            raise ConfigError("min_session_fee_wei and batch_seconds: at least 0")
        if not 1 <= self.batch_size <= MAX_BATCH:
            raise ConfigError(f"batch_size: 1 to {MAX_BATCH} results")
        if self.max_head_age_s <= 0 or self.max_drift_s <= 0:
            raise ConfigError("max_head_age_s and max_drift_s are durations: more than 0")
        if self.backend not in ("auto", "numpy", "torch"):
            raise ConfigError(f"backend {self.backend!r}: auto, numpy or torch")
        if self.game not in GAMES:
            raise ConfigError(f"game {self.game!r}: one of {sorted(GAMES)}")
        if self.granularity not in GRANULARITIES:
            raise ConfigError(f"granularity {self.granularity!r}: one of {sorted(GRANULARITIES)}")
        if self.fault not in FAULTS:
            raise ConfigError(f"fault {self.fault!r}: one of {sorted(FAULTS)}")

    @property
    def journal(self) -> Path:
        """Return the journal's file."""
        return self.home / "journal.sqlite3"

    @property
    def cursor(self) -> Path:
        """Return the event cursor's file."""
        return self.home / "events.sqlite3"

    @property
    def broker(self) -> str:
        """Return the broker's URL; the default needs no server."""
        return self.broker_url or f"sqla+sqlite:///{self.home / 'broker.sqlite3'}"

    @property
    def queue(self) -> str:
        """Return the name of the queue between a role and its workers.

        Without a name it is the home folder's own: two operators on one broker must not take each
        other's steps.
        """
        own = hashlib.sha256(str(self.home).encode()).hexdigest()[:16]
        return f"zkdps-{self.role}-{self.broker_queue or own}"

    def save(self) -> None:
        """Write the file from which other processes of this role read the same settings."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        plain = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(self).items()}
        path = self.home / FILE_NAME
        # URLs may carry access tokens: for the owner's eyes only.
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


def load_settings(home: Path) -> Settings:
    """Read a role's settings; raise ConfigError when the file is missing or does not fit."""
    path = home / FILE_NAME
    try:
        plain: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for name in PATHS:
            plain[name] = None if plain.get(name) is None else Path(plain[name])
        return Settings(**plain)
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist: start the role once with its options") from None
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from None


def read_home_settings() -> Settings:
    """Return the settings of the home folder that the environment names."""
    home = os.environ.get(HOME_VARIABLE)
    if not home:
        raise ConfigError(f"{HOME_VARIABLE} must name the role's home folder")
    return load_settings(Path(home))
