"""Transport failures are retried, refusals are not."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from offchain.chain.rpc import ATTEMPTS, Rpc, RpcError
from offchain.errors import RpcUnavailable


class Answers:
    def __init__(self, answers: list[Any]) -> None:
        self.answers, self.asked = answers, 0

    def make_request(self, method: str, params: list[Any]) -> Any:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


def build_rpc(*answers: Any) -> tuple[Rpc, Answers, list[float]]:
    slept: list[float] = []
    rpc = Rpc("http://127.0.0.1:1", sleep=slept.append)
    provider = Answers(list(answers))
    rpc._provider = provider  # type: ignore[assignment]
    return rpc, provider, slept


def test_request__refusal__raised_at_once_with_its_data() -> None:
    rpc, provider, _ = build_rpc({"error": {"code": 3, "message": "reverted", "data": "0x12"}})
    with pytest.raises(RpcError) as refused:
        rpc.request("eth_call")
    assert (refused.value.code, refused.value.extra, provider.asked) == (3, "0x12", 1)


def test_request__transport_failure_and_rate_limit__retried_with_backoff() -> None:
    limited = {"error": {"code": -32005, "message": "limit exceeded"}}
    rpc, provider, slept = build_rpc(requests.ConnectionError("down"), limited, {"result": "0x1"})
    assert rpc.request("eth_chainId") == "0x1"
    assert provider.asked == 3
    assert len(slept) == 2 and 0 < slept[0] < 0.2 and slept[1] <= 0.2


def test_request__never_answered__gives_up_with_the_cause() -> None:
    rpc, provider, _ = build_rpc(requests.ConnectionError("http://127.0.0.1:1/token is down"))
    rpc.url = "http://user:secret@127.0.0.1:1/token"
    with pytest.raises(RpcUnavailable, match=r"ConnectionError at http://127\.0\.0\.1:1$"):
        rpc.request("eth_chainId")
    assert provider.asked == ATTEMPTS
