"""JSON-RPC over HTTP with bounded retries: the only place that talks to a node."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from web3 import HTTPProvider
from web3.types import RPCEndpoint

from offchain.errors import OffchainError, RpcUnavailable

ATTEMPTS: Final = 6
FIRST_DELAY_S: Final = 0.1  # doubles: 0.1, 0.2 ... 1.6 s, about 3 s in all
TIMEOUT_S: Final = 20.0
# EIP-1474: limit exceeded and resource unavailable may pass; everything else is an answer.
TRANSIENT_CODES: Final = frozenset({-32005, -32002})


class RpcError(OffchainError):
    """The node understood the request and refused it."""

    def __init__(self, method: str, code: int, message: str, extra: object) -> None:
        super().__init__(f"{method}: {message} ({code})")
        self.method = method
        self.code = code
        self.message = message
        self.extra = extra


class Rpc:
    """A node. Transport failures and rate limits are retried with backoff; refusals are raised."""

    def __init__(self, url: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self.url = url
        self._provider = HTTPProvider(
            url, request_kwargs={"timeout": TIMEOUT_S}, exception_retry_configuration=None
        )
        self._sleep = sleep

    def request(self, method: str, *params: Any) -> Any:
        """Return the result of a call.

        Raises RpcError when the node refuses, RpcUnavailable when no attempt got an answer.
        """
        delay, cause = FIRST_DELAY_S, ""
        for _ in range(ATTEMPTS):
            try:
                response = self._provider.make_request(RPCEndpoint(method), list(params))
            except (requests.RequestException, ConnectionError, TimeoutError, ValueError) as error:
                # Transport errors quote the path, which is where nodes take access tokens.
                cause = f"{type(error).__name__} at {hide_path(self.url)}"
            else:
                if "error" not in response:
                    return response.get("result")
                refusal = _parse_refusal(method, response["error"])
                if refusal.code not in TRANSIENT_CODES:
                    raise refusal
                cause = str(refusal)
            self._sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311  # spreads load
            delay *= 2
        raise RpcUnavailable(method, ATTEMPTS, cause)


def hide_path(url: str) -> str:
    """Return a URL's scheme, host and port: what may be logged of it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


def _parse_refusal(method: str, error: Any) -> RpcError:
    if isinstance(error, dict):
        return RpcError(
            method, int(error.get("code", 0)), str(error.get("message", "")), error.get("data")
        )
    return RpcError(method, 0, str(error), None)
