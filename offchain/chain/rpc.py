"""JSON-RPC over HTTP with bounded retries and several endpoints: the one way to a node."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from offchain.chain.endpoint import (
    TIMEOUT_S,
    Endpoint,
    EndpointFailed,
    RpcError,
    hide_path,
    is_range_refusal,
    parse_urls,
)
from offchain.errors import ConfigError, RpcUnavailable, WrongChain

__all__ = ["Notify", "Rpc", "RpcError", "hide_path", "ignore", "is_range_refusal"]

ATTEMPTS: Final = 6
FIRST_DELAY_S: Final = 0.1  # doubles: 0.1, 0.2 ... 1.6 s, about 3 s in all
FAILOVER_TIMEOUT_S: Final = 8.0  # a silent node costs a deadline less where another may answer
COOL_DOWN_S: Final = 15.0  # before an endpoint that failed is tried again
PROBE_S: Final = 2.0  # between comparisons of the endpoints' heads
BEHIND_BLOCKS: Final = 3  # gossip takes a block or two; more is a node that does not follow

Notify = Callable[..., None]  # called as Log.event is: a name and facts


def ignore(_: str, **__: Any) -> None:
    """Notify nobody."""


class Rpc:
    """A chain through one endpoint or several, the first one preferred.

    Reads go to one endpoint at a time: the first whose head is not behind the others'. Where it
    fails the next one is asked at once, and it is tried again later. Each endpoint's chain id is
    looked at before its first answer is used, and again after each of its failures.
    """

    def __init__(
        self,
        urls: str | Sequence[str],
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        notify: Notify = ignore,
        chain_id: int | None = None,
    ) -> None:
        listed = parse_urls(urls)
        if not listed:
            raise ConfigError("no RPC endpoint is given")
        timeout_s = TIMEOUT_S if len(listed) == 1 else FAILOVER_TIMEOUT_S
        self.endpoints = tuple(Endpoint(url, timeout_s) for url in listed)
        self.chain_id = chain_id  # None: what the first endpoint that answers says
        self._sleep = sleep
        self._clock = clock
        self._notify = notify
        self._current = self.endpoints[0]
        self._probed_at: float | None = None
        self._pinned = False
        self._is_started = False

    @property
    def url(self) -> str:
        """Return the first endpoint's address; it may hold an access token."""
        return self.endpoints[0].url

    def verify_endpoints(self) -> None:
        """Look at every endpoint that answers now; raise WrongChain for one of another chain."""
        for endpoint in self.endpoints:
            try:
                self._verify_chain(endpoint)
            except EndpointFailed as error:
                self._set_failed(endpoint, error)
        self._is_started = True

    def request(self, method: str, *params: Any) -> Any:
        """Return the result of a call.

        Raises RpcError when the node refuses, RpcUnavailable when no attempt got an answer,
        WrongChain when the only endpoint serves another chain than expected.
        """
        delay, cause = FIRST_DELAY_S, ""
        for _ in range(ATTEMPTS):
            for endpoint in self._order():
                try:
                    self._verify_chain(endpoint)
                    result = endpoint.ask(method, params)
                except EndpointFailed as error:
                    cause = str(error)
                    self._set_failed(endpoint, error)
                    continue
                self._set_alive(endpoint)
                self._switch(endpoint)
                return result
            self._back_off(delay)
            delay *= 2
        raise RpcUnavailable(method, ATTEMPTS, cause)

    def request_all(self, method: str, *params: Any) -> list[Any]:
        """Ask every endpoint; return each answer, a result or an RpcError.

        Raises RpcUnavailable when one gave no answer and none a result: nobody knows then what
        the silent one did with it.
        """
        targets = [e for e in self.endpoints if not self._is_cooling(e)] or self.endpoints
        delay, cause = FIRST_DELAY_S, ""
        answers: dict[Endpoint, Any] = {}
        for _ in range(ATTEMPTS):
            for endpoint in targets:
                if endpoint in answers:
                    continue
                try:
                    self._verify_chain(endpoint)
                    answers[endpoint] = endpoint.ask(method, params)
                except RpcError as refusal:
                    answers[endpoint] = refusal
                except EndpointFailed as error:
                    cause = str(error)
                    self._set_failed(endpoint, error)
            is_accepted = any(not isinstance(a, RpcError) for a in answers.values())
            if is_accepted or len(answers) == len(targets):
                return [answers[endpoint] for endpoint in targets if endpoint in answers]
            self._back_off(delay)
            delay *= 2
        raise RpcUnavailable(method, ATTEMPTS, cause)

    def ask_others(self, method: str, *params: Any) -> Iterator[tuple[str, Any]]:
        """Yield the answers of the endpoints not in use now, by name; silence is left out."""
        for endpoint in self.endpoints:
            if endpoint is self._current or self._is_cooling(endpoint):
                continue
            try:
                self._verify_chain(endpoint)
                yield endpoint.name, endpoint.probe(method, params)
            except RpcError:
                continue  # it may not hold what it was asked about
            except EndpointFailed as error:
                self._set_failed(endpoint, error)

    @contextmanager
    def pinned(self) -> Iterator[None]:
        """Stay with one endpoint: answers that belong together come from one node's view."""
        self._switch(self._order()[0])
        self._pinned = True
        try:
            yield
        finally:
            self._pinned = False

    def _order(self) -> Sequence[Endpoint]:
        """Return the endpoints to try, best first; ones that failed lately are left out."""
        if len(self.endpoints) == 1 or self._pinned:
            return (self._current,)
        self._compare_heads()
        ready = [e for e in self.endpoints if not self._is_cooling(e)]
        best = max((e.head for e in ready if e.head is not None), default=0)
        following = [e for e in ready if e.head is None or e.head >= best - BEHIND_BLOCKS]
        return following or self.endpoints

    def _compare_heads(self) -> None:
        """Ask for every endpoint's head from time to time.

        Only heads of one round are compared: one that went back everywhere is a reorganisation.
        """
        now = self._clock()
        if self._probed_at is not None and now - self._probed_at < PROBE_S:
            return
        self._probed_at = now
        for endpoint in self.endpoints:
            endpoint.head = None
            if self._is_cooling(endpoint):
                continue
            try:
                self._verify_chain(endpoint)
                endpoint.head = int(endpoint.probe("eth_blockNumber"), 16)
                self._set_alive(endpoint)
            except RpcError:
                continue
            except EndpointFailed as error:
                self._set_failed(endpoint, error)

    def _verify_chain(self, endpoint: Endpoint) -> None:
        if endpoint.is_verified:
            return
        if len(self.endpoints) == 1 and self.chain_id is None:
            return  # nothing to compare with: whoever asks for the id compares it
        found = int(endpoint.probe("eth_chainId"), 16)
        if self.chain_id is None:
            self.chain_id = found
        if found != self.chain_id:
            wrong = WrongChain(endpoint.name, found, self.chain_id)
            # At the start it is a mistake of whoever listed it. Later, one of several nodes that
            # errs is left out: it must not end a role that has stake at risk.
            is_passing = self._is_started and len(self.endpoints) > 1
            raise EndpointFailed(str(wrong)) if is_passing else wrong
        endpoint.is_verified = True

    def _is_cooling(self, endpoint: Endpoint) -> bool:
        return endpoint.failed_at is not None and self._clock() - endpoint.failed_at < COOL_DOWN_S

    def _set_failed(self, endpoint: Endpoint, error: EndpointFailed) -> None:
        if endpoint.failed_at is None:
            self._notify("rpc-failed", endpoint=endpoint.name, reason=str(error))
        endpoint.failed_at = self._clock()
        endpoint.is_verified = False

    def _set_alive(self, endpoint: Endpoint) -> None:
        if endpoint.failed_at is not None:
            endpoint.failed_at = None
            self._notify("rpc-recovered", endpoint=endpoint.name)

    def _switch(self, endpoint: Endpoint) -> None:
        if endpoint is not self._current:
            self._notify("rpc-switched", endpoint=endpoint.name, instead_of=self._current.name)
            self._current = endpoint

    def _back_off(self, delay: float) -> None:
        self._sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311  # spreads load
