"""A deployment as a gateway names it, held against the contracts that come with this package.

A gateway says where contracts are; what they are is looked up on chain. Their code has to be that
of this package but for what constructors fill in, each has to name the others as its neighbours,
their parameters have to be the preset's (by PARAMETERS_HASH), and the reference string in the
openings' code has to be the one that the verifier names.

That leaves whose deployment it is: somebody can deploy the same code with guardians of its own, or
with a constructor that fills in other numbers. Name the market of the deployment you mean
(`market=`), or its manifest, before money depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import Any, Final

from eth_utils.crypto import keccak

from offchain.chain.artifacts import Artifact, load_artifact
from offchain.chain.binding import checksum
from offchain.chain.client import Call, ChainClient
from offchain.chain.deployment import CONTRACTS, NO_TOKEN, SRS_PREFIX
from offchain.chain.manifest import Deployment, Manifest
from offchain.chain.rpc import Rpc
from offchain.chain.wiring import list_wiring, verify_facts
from offchain.commit.srs import insecure_srs_id
from offchain.errors import ConfigError, DeploymentError, ManifestError
from offchain.params.settings import LOCAL_CHAIN_IDS
from offchain.types import Address

OPENINGS: Final = ("HyperKzgOpening", "MercuryOpening")
WORD: Final = 32
TAU_WORDS: Final = 4  # [tau]_2, two coordinates of two words
UNKNOWN_TX: Final = ""


def find_rpc(named: str | None, config: Mapping[str, Any]) -> str:
    """Return the node's URL: the one that was named, or the gateway's public one."""
    url = named or config.get("rpcUrl")
    if not isinstance(url, str) or not url:
        raise ConfigError("name a node (rpc=...): the gateway offers none")
    return url


def read_deployment(
    config: Mapping[str, Any], named_rpc: str | None
) -> tuple[ChainClient, Manifest]:
    """Return the deployment that a gateway's /config names, verified on chain.

    Raises ManifestError for what is no deployment of these contracts, WrongChain for another chain.
    """
    try:
        chain_id, preset = int(config["chainId"]), str(config["preset"])
        first_block = int(config["firstBlock"])
        addresses = {name: checksum(config["contracts"][name]) for name in CONTRACTS}
        told_token = config.get("token")
        token = None if told_token is None else checksum(told_token)
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"the gateway's /config: {type(error).__name__}: {error}") from None
    artifacts = {name: load_artifact(name) for name in CONTRACTS}
    rpc = Rpc(find_rpc(named_rpc, config), chain_id=chain_id)
    rpc.verify_endpoints()
    # Errors are decoded with the ABIs of this package, never with those that a gateway tells.
    draft = Manifest(chain_id, preset, first_block, b"", False, {})
    deployed = {
        name: Deployment(address, artifacts[name].abi, UNKNOWN_TX, b"")
        for name, address in addresses.items()
    }
    book = _fill(draft, deployed, b"", token).build_error_book()
    client = ChainClient(rpc, book)
    codes = {name: client.get_code(address) for name, address in addresses.items()}
    for name, code in codes.items():
        if not artifacts[name].is_code_of(code):
            raise ManifestError(f"the code at {addresses[name]} is not this package's {name}")
    try:
        verify_facts(client, addresses, list_wiring(addresses, preset, token or NO_TOKEN))
    except DeploymentError as error:
        raise ManifestError(f"the gateway's deployment is none: {error}") from None
    srs_id = _read_srs_id(client, addresses["VerifierCore"], artifacts["VerifierCore"])
    for name in OPENINGS:
        verify_reference_string(name, artifacts[name], codes[name], srs_id)
    hashed = {
        name: Deployment(d.address, d.abi, d.tx_hash, bytes(keccak(codes[name])))
        for name, d in deployed.items()
    }
    manifest = _fill(draft, hashed, srs_id, token)
    if manifest.srs_insecure and chain_id not in LOCAL_CHAIN_IDS:
        raise ManifestError("the deployment's reference string is the public development string")
    return client, manifest


def verify_reference_string(name: str, artifact: Artifact, code: bytes, srs_id: bytes) -> None:
    """Raise ManifestError unless the tau that an opening's code holds is the named string's.

    Its id is keccak256("zkdps/srs/1" || tau) (FORMAT.md 2); code holds the id and the four words of
    tau wherever the constructor filled something in.
    """
    words = {code[start : start + length] for start, length in artifact.immutables}
    others = words - {srs_id}
    if srs_id in words and len(others) == TAU_WORDS:
        for tau in permutations(sorted(others)):
            if keccak(SRS_PREFIX + b"".join(tau)) == srs_id:
                return
    raise ManifestError(f"{name} checks openings against another reference string than it names")


def _read_srs_id(client: ChainClient, verifier: Address, artifact: Artifact) -> bytes:
    calldata = artifact.abi.encode_call("SRS_ID", [])
    raw = client.call(Call("VerifierCore", "SRS_ID", verifier, calldata))
    return bytes(artifact.abi.decode_result("SRS_ID", raw)[0])


def _fill(
    draft: Manifest, deployed: Mapping[str, Deployment], srs_id: bytes, token: Address | None
) -> Manifest:
    return Manifest(
        chain_id=draft.chain_id,
        preset=draft.preset,
        first_block=draft.first_block,
        srs_id=srs_id,
        srs_insecure=srs_id == insecure_srs_id(),
        contracts=deployed,
        token=token,
    )
