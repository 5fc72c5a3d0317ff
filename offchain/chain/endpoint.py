"""One node's JSON-RPC address: what it serves, how far it is, when it last failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from web3 import HTTPProvider
from web3.types import RPCEndpoint

from offchain.errors import OffchainError

TIMEOUT_S: Final = 20.0
PROBE_TIMEOUT_S: Final = 3.0  # a probe compares heads; it must not hold up what it serves
# EIP-1474: limit exceeded and resource unavailable may pass, and what services answer instead.
TRANSIENT_CODES: Final = frozenset({-32005, -32002, -32007, 429})
RATE_LIMITS: Final = ("rate limit", "too many requests", "request limit", "requests per second")
# How nodes word that a range of blocks is too wide or holds too many logs.
RANGE_REFUSALS: Final = ("range", "results", "response size", "too large", "too many", "limited to")
GET_LOGS: Final = "eth_getLogs"
# What has no answer may be null: a receipt, a block above the head. Anything else is a node's slip.
NULLABLE: Final = frozenset(
    {"eth_getTransactionReceipt", "eth_getBlockByNumber", "eth_getTransactionByHash"}
)
LATEST: Final = "latest"


class RpcError(OffchainError):
    """The node understood the request and refused it."""

    def __init__(self, method: str, code: int, message: str, extra: object) -> None:
        super().__init__(f"{method}: {message} ({code})")
        self.method = method
        self.code = code
        self.message = message
        self.extra = extra


class EndpointFailed(OffchainError):
    """An endpoint gave no answer: transport, rate limit. Another one, or a later try, may."""


class Endpoint:
    """One address. It remembers its state for whoever chooses between several."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        self.url = url
        self.name = hide_path(url)
        self.is_verified = False  # its chain id was looked at since it last failed
        self.failed_at: float | None = None  # monotonic
        self.head: int | None = None  # at the last probe
        self._provider = _build_provider(url, timeout_s)
        self._prober = _build_provider(url, PROBE_TIMEOUT_S)

    def ask(self, method: str, params: Sequence[Any]) -> Any:
        """Return a result; raise RpcError for a refusal, EndpointFailed for no answer."""
        return self._ask(self._provider, method, params)

    def probe(self, method: str, params: Sequence[Any] = ()) -> Any:
        """Ask with little patience."""
        return self._ask(self._prober, method, params)

    def _ask(self, provider: HTTPProvider, method: str, params: Sequence[Any]) -> Any:
        try:
            response = provider.make_request(RPCEndpoint(method), list(params))
        except (requests.RequestException, ConnectionError, TimeoutError, ValueError) as error:
            # Transport errors quote the path, which is where nodes take access tokens.
            raise EndpointFailed(f"{type(error).__name__} at {self.name}") from None
        if "error" not in response:
            result = response.get("result")
            is_slip = method.startswith("eth_") and (method not in NULLABLE or LATEST in params)
            if result is None and is_slip:
                raise EndpointFailed(f"{method}: null at {self.name}")
            return result
        refusal = _parse_refusal(method, response["error"])
        if is_transient(refusal) and not is_range_refusal(refusal):
            raise EndpointFailed(f"{refusal} at {self.name}")
        raise refusal


def is_transient(error: RpcError) -> bool:
    """Whether a node refuses for now only, under whatever code."""
    message = error.message.lower()
    return error.code in TRANSIENT_CODES or any(text in message for text in RATE_LIMITS)


def is_range_refusal(error: RpcError) -> bool:
    """Whether a node would answer about fewer blocks."""
    message = error.message.lower()
    return error.method == GET_LOGS and any(text in message for text in RANGE_REFUSALS)


def hide_path(url: str) -> str:
    """Return a URL's scheme, host and port: what may be logged of it. Several stay a list."""
    return ",".join(map(_hide_one, parse_urls(url)))


def parse_urls(urls: str | Sequence[str]) -> tuple[str, ...]:
    """Return the addresses of a comma-separated list, in its order."""
    listed = urls.split(",") if isinstance(urls, str) else urls
    return tuple(url.strip() for url in listed if url.strip())


def _hide_one(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


def _build_provider(url: str, timeout_s: float) -> HTTPProvider:
    return HTTPProvider(
        url, request_kwargs={"timeout": timeout_s}, exception_retry_configuration=None
    )


def _parse_refusal(method: str, error: Any) -> RpcError:
    if isinstance(error, dict):
        return RpcError(
            method, int(error.get("code", 0)), str(error.get("message", "")), error.get("data")
        )
    return RpcError(method, 0, str(error), None)
