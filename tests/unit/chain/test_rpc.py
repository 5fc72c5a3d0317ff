"""Transport failures are retried, refusals are not; with several endpoints one stands in."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from offchain.chain.abi import ContractAbi, ErrorBook
from offchain.chain.client import ChainClient
from offchain.chain.endpoint import hide_path
from offchain.chain.rpc import ATTEMPTS, COOL_DOWN_S, PROBE_S, Rpc, RpcError
from offchain.errors import ConfigError, MalformedAnswer, ManifestError, RpcUnavailable, WrongChain
from tests.unit.chain.conftest import ABI

DOWN = requests.ConnectionError("http://127.0.0.1:1/token is down")
LIMITED = {"error": {"code": -32005, "message": "limit exceeded"}}


class Node:
    """An endpoint's transport: answers by method, or fails."""

    def __init__(self, chain_id: int = 31337, head: int = 100) -> None:
        self.chain_id, self.head = chain_id, head
        self.failure: Any = None  # an exception or an error response; None: it answers
        self.asked: list[str] = []

    def make_request(self, method: str, params: list[Any]) -> Any:
        self.asked.append(method)
        if isinstance(self.failure, Exception):
            raise self.failure
        if self.failure is not None:
            return self.failure
        return {"result": self.answer(method)}

    def answer(self, method: str) -> Any:
        if method == "eth_chainId":
            return hex(self.chain_id)
        if method == "eth_blockNumber":
            return hex(self.head)
        return f"{id(self)}"

    def count(self, method: str) -> int:
        return self.asked.count(method)


class Fleet:
    """An Rpc over nodes in memory, its clock and what it told."""

    def __init__(self, *nodes: Node, chain_id: int | None = None) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.nodes = nodes
        urls = ",".join(f"http://user:secret@node{i}:1/token{i}" for i in range(len(nodes)))
        self.rpc = Rpc(urls, self.sleep, lambda: self.now, self.tell, chain_id)
        for endpoint, node in zip(self.rpc.endpoints, nodes, strict=True):
            endpoint._provider = endpoint._prober = node  # type: ignore[assignment]

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def tell(self, name: str, **facts: Any) -> None:
        self.told.append((name, facts))

    def names(self) -> list[str]:
        return [name for name, _ in self.told]

    def who(self) -> int:
        """Return which node answers now."""
        answer = self.rpc.request("eth_gasPrice")
        return [f"{id(node)}" for node in self.nodes].index(answer)


class Scripted(Node):
    """Gives listed answers in turn, the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        super().__init__()
        self.answers = list(answers)

    def make_request(self, method: str, params: list[Any]) -> Any:
        self.asked.append(method)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_request__refusal__raised_at_once_with_its_data() -> None:
    node = Scripted({"error": {"code": 3, "message": "reverted", "data": "0x12"}})
    with pytest.raises(RpcError) as refused:
        Fleet(node).rpc.request("eth_call")
    assert (refused.value.code, refused.value.extra, len(node.asked)) == (3, "0x12", 1)


def test_request__transport_failure_and_rate_limit__retried_with_backoff() -> None:
    node = Scripted(DOWN, LIMITED, {"result": "0x1"})
    fleet = Fleet(node)
    assert fleet.rpc.request("eth_chainId") == "0x1"
    assert len(node.asked) == 3
    assert len(fleet.slept) == 2 and 0 < fleet.slept[0] < 0.2 and fleet.slept[1] <= 0.2


def test_request__never_answered__gives_up_with_the_cause() -> None:
    fleet = Fleet(Scripted(DOWN))
    with pytest.raises(RpcUnavailable, match=r"ConnectionError at http://node0:1$"):
        fleet.rpc.request("eth_chainId")
    assert len(fleet.nodes[0].asked) == ATTEMPTS


def test_rpc__no_endpoint__refused() -> None:
    with pytest.raises(ConfigError):
        Rpc(" , ")


def test_hide_path__several__no_token_in_any() -> None:
    hidden = hide_path("https://a.example/v2/token-a, http://u:p@b.example:8545/token-b")
    assert hidden == "https://a.example,http://b.example:8545"


@pytest.mark.parametrize("failure", [DOWN, requests.Timeout("slow"), LIMITED, ValueError("html")])
def test_request__first_endpoint_fails__second_answers_at_once(failure: Any) -> None:
    fleet = Fleet(Node(), Node())
    fleet.nodes[0].failure = failure
    assert fleet.who() == 1
    assert fleet.slept == []
    assert "rpc-failed" in fleet.names() and "rpc-switched" in fleet.names()


def test_request__first_endpoint_fails_between_two_probes__second_answers() -> None:
    fleet = Fleet(Node(), Node())
    assert fleet.who() == 0
    fleet.nodes[0].failure = DOWN
    assert (fleet.who(), fleet.slept) == (1, [])


def test_request__first_endpoint_back__used_again_after_its_cool_down() -> None:
    fleet = Fleet(Node(), Node())
    fleet.nodes[0].failure = DOWN
    assert fleet.who() == 1
    fleet.nodes[0].failure = None
    asked = len(fleet.nodes[0].asked)
    fleet.now += PROBE_S
    assert fleet.who() == 1 and len(fleet.nodes[0].asked) == asked
    fleet.now += COOL_DOWN_S
    assert fleet.who() == 0
    assert fleet.names()[-2:] == ["rpc-recovered", "rpc-switched"]


def test_request__all_endpoints_fail__backs_off_and_returns_with_the_first_that_answers() -> None:
    fleet = Fleet(Node(), Node())
    for node in fleet.nodes:
        node.failure = DOWN
    with pytest.raises(RpcUnavailable):
        fleet.rpc.request("eth_gasPrice")
    assert len(fleet.slept) == ATTEMPTS
    fleet.nodes[1].failure = None
    assert fleet.who() == 1


def test_request__first_endpoint_behind__the_one_that_follows_answers() -> None:
    fleet = Fleet(Node(head=100), Node(head=104))
    assert fleet.who() == 1
    fleet.nodes[0].head = 104
    fleet.now += PROBE_S
    assert fleet.who() == 0


def test_request__a_little_behind__stays_preferred() -> None:
    assert Fleet(Node(head=101), Node(head=104)).who() == 0


def test_request__head_goes_back_everywhere__a_reorganisation_not_a_lie() -> None:
    fleet = Fleet(Node(head=100), Node(head=100))
    assert fleet.who() == 0
    for node in fleet.nodes:
        node.head = 90
    fleet.now += PROBE_S
    assert fleet.who() == 0
    assert fleet.told == []


def test_verify_endpoints__second_serves_another_chain__fatal_and_named_without_its_path() -> None:
    fleet = Fleet(Node(), Node(chain_id=5), chain_id=31337)
    with pytest.raises(
        WrongChain, match=r"http://node1:1 serves chain 5, not chain 31337"
    ) as wrong:
        fleet.rpc.verify_endpoints()
    assert isinstance(wrong.value, ManifestError)  # roles end with it
    assert "token" not in str(wrong.value) and "secret" not in str(wrong.value)


def test_verify_endpoints__only_one_endpoint__compared_with_the_deployment() -> None:
    with pytest.raises(WrongChain):
        Fleet(Node(chain_id=5), chain_id=31337).rpc.verify_endpoints()


def test_request__another_chain_after_an_outage__noticed_before_its_answer_is_used() -> None:
    fleet = Fleet(Node(), Node(), chain_id=31337)
    assert fleet.who() == 0
    fleet.nodes[0].failure = DOWN
    assert fleet.who() == 1
    fleet.nodes[0].failure, fleet.nodes[0].chain_id = None, 5
    fleet.now += COOL_DOWN_S
    used = fleet.nodes[0].count("eth_gasPrice")
    with pytest.raises(WrongChain):
        fleet.who()
    assert fleet.nodes[0].count("eth_gasPrice") == used


def test_request__one_of_several_changes_its_chain_later__left_out_and_told() -> None:
    fleet = Fleet(Node(), Node(), chain_id=31337)
    fleet.rpc.verify_endpoints()
    fleet.nodes[0].failure = DOWN
    assert fleet.who() == 1
    fleet.nodes[0].failure, fleet.nodes[0].chain_id = None, 5
    fleet.now += COOL_DOWN_S
    used = fleet.nodes[0].count("eth_gasPrice")
    assert fleet.who() == 1
    assert fleet.nodes[0].count("eth_gasPrice") == used
    fleet.nodes[1].failure = DOWN
    with pytest.raises(RpcUnavailable):  # not fatal: the right one may come back
        fleet.who()


@pytest.mark.parametrize(
    ("code", "message"),
    [(429, "slow down"), (-32603, "Too Many Requests"), (-32000, "rate limit exceeded")],
)
def test_request__rate_limit_under_any_code__the_next_endpoint_answers(
    code: int, message: str
) -> None:
    fleet = Fleet(Node(), Node())
    fleet.nodes[0].failure = {"error": {"code": code, "message": message}}
    assert fleet.who() == 1


def test_request__endpoints_of_two_chains_and_none_expected__refused() -> None:
    with pytest.raises(WrongChain):
        Fleet(Node(), Node(chain_id=5)).who()


def test_pinned__first_endpoint_fails_inside__no_other_view_is_mixed_in() -> None:
    fleet = Fleet(Node(), Node())
    with pytest.raises(RpcUnavailable), fleet.rpc.pinned():
        assert fleet.who() == 0
        fleet.nodes[0].failure = DOWN
        fleet.who()
    assert fleet.nodes[1].count("eth_gasPrice") == 0
    assert fleet.who() == 1


def refuse(message: str) -> Any:
    return {"error": {"code": -32000, "message": message}}


def broadcast(*nodes: Node) -> Fleet:
    fleet = Fleet(*nodes)
    client = ChainClient(fleet.rpc, ErrorBook([ABI]))
    fleet.rpc.verify_endpoints()
    client.broadcast(b"\x02")
    return fleet


class Pool(Node):
    """Answers everything but a broadcast, which meets `verdict`."""

    def __init__(self, verdict: Any = None) -> None:
        super().__init__()
        self.verdict = verdict

    def make_request(self, method: str, params: list[Any]) -> Any:
        if method == "eth_sendRawTransaction" and self.verdict is not None:
            self.asked.append(method)
            if isinstance(self.verdict, Exception):
                raise self.verdict
            return self.verdict
        return super().make_request(method, params)


@pytest.mark.parametrize(
    "verdict", [None, refuse("already known"), refuse("nonce too low"), DOWN], ids=str
)
def test_broadcast__one_endpoint_has_it__sent_to_all_and_accepted(verdict: Any) -> None:
    fleet = broadcast(Pool(), Pool(verdict))
    assert all(node.count("eth_sendRawTransaction") == 1 for node in fleet.nodes)
    assert broadcast(Pool(verdict), Pool()).slept == []


def test_broadcast__refused_by_one_and_no_answer_from_the_other__not_taken_for_refused() -> None:
    """The silent one may have it: the journal must keep it as signed."""
    with pytest.raises(RpcUnavailable):
        broadcast(Pool(refuse("insufficient funds")), Pool(DOWN))


def test_broadcast__refused_by_all__the_first_refusal() -> None:
    with pytest.raises(RpcError, match="insufficient funds"):
        broadcast(Pool(refuse("insufficient funds")), Pool(refuse("underpriced")))


def test_request__range_refused_with_a_rate_limits_code__an_answer_and_no_failure() -> None:
    wide = {"error": {"code": -32005, "message": "query returned more than 10000 results"}}
    fleet = Fleet(Node())
    fleet.nodes[0].failure = wide
    with pytest.raises(RpcError):
        fleet.rpc.request("eth_getLogs", {})
    assert fleet.slept == []


def test_request__null_instead_of_a_head__another_endpoint_is_asked() -> None:
    """A node behind a gateway may have nothing yet; taken for an answer, it would end a role."""
    slow, good = Node(), Node()
    fleet = Fleet(slow, good, chain_id=31337)
    answer, slow.answer = slow.answer, lambda method: None  # type: ignore[method-assign]
    assert fleet.rpc.request("eth_getBlockByNumber", "latest", False) == f"{id(good)}"
    assert Fleet(slow).rpc.request("eth_getBlockByNumber", "0xff", False) is None
    slow.answer = answer  # type: ignore[method-assign]


@pytest.mark.parametrize("wording", ["AlreadyKnown", "existing tx with same hash"])
def test_broadcast__other_clients_wordings_of_a_duplicate__no_error(wording: str) -> None:
    node = Node()
    client = ChainClient(Fleet(node).rpc, ErrorBook([ABI]))
    node.failure = {"error": {"code": -32010, "message": wording}}
    assert client.broadcast(b"raw").startswith("0x")


def test_decode_result__no_bytes__an_error_of_the_family() -> None:
    entry = {"type": "function", "name": "f", "inputs": [], "outputs": [{"type": "uint256"}]}
    with pytest.raises(MalformedAnswer):
        ContractAbi("C", [entry]).decode_result("f", b"")
