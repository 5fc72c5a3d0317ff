"""The event cursor never keeps what a reorganisation took away."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.chain.abi import ContractAbi
from offchain.chain.client import ChainClient
from offchain.chain.cursor import MAX_SPAN, EventCursor
from offchain.chain.database import Place
from offchain.chain.rpc import RpcError
from offchain.errors import DatabaseUnavailable
from offchain.types import Address
from tests.unit.chain.conftest import ABI, CONTRACT
from tests.unit.chain.fake_node import FakeNode
from tests.unit.chain.losing import lose


def stored(key: int, digest: int) -> dict[str, Any]:
    return {
        "address": CONTRACT,
        "topics": [
            "0x" + keccak(text="Stored(uint256,bytes32)").hex(),
            "0x" + key.to_bytes(32, "big").hex(),
        ],
        "data": "0x" + digest.to_bytes(32, "big").hex(),
        "transactionHash": "0x" + (key % 251).to_bytes(32, "big").hex(),
    }


def open_cursor(place: Place, client: ChainClient, confirmations: int = 1) -> EventCursor:
    return EventCursor(place, client, {CONTRACT: ABI}, 0, confirmations)


def elsewhere(place: Place) -> Place:
    """Return another home's place in the same database or folder."""
    return replace(place, file=place.file.with_name("other.sqlite3"), space=place.space + "/other")


def keys(cursor: EventCursor) -> list[int]:
    return [event.arguments["key"] for event in cursor.get_events("Stored")]


def test_advance__reorg__events_of_the_lost_branch_are_forgotten(
    place: Place, node: FakeNode, client: ChainClient
) -> None:
    cursor = open_cursor(place, client)
    node.mine(logs=[stored(1, 1)])
    cursor.advance()
    node.mine("a", [stored(2, 2)])
    cursor.advance()
    node.mine("a", [stored(3, 3)])
    cursor.advance()
    assert keys(cursor) == [1, 2, 3]
    node.fork(2)
    node.mine("b", [stored(4, 4)])
    cursor.advance()
    assert keys(cursor) == [1, 4]


def test_advance__reorg_while_stopped__a_fresh_process_rewinds_too(
    place: Place, node: FakeNode, client: ChainClient
) -> None:
    cursor = open_cursor(place, client)
    for number in range(1, 4):
        node.mine("a", [stored(number, number)])
        cursor.advance()
    node.fork(3)
    for number in range(5, 10):
        node.mine("b", [stored(number, number)])
    restarted = open_cursor(place, client)
    restarted.advance()
    assert keys(restarted) == [5, 6, 7, 8, 9]


@pytest.mark.parametrize("confirmations", [1, 3])
def test_advance__confirmations__stays_behind_the_head(
    place: Place, node: FakeNode, client: ChainClient, confirmations: int
) -> None:
    cursor = open_cursor(place, client, confirmations)
    for number in range(1, 6):
        node.mine(logs=[stored(number, number)])
    assert cursor.advance() == 5 - (confirmations - 1)
    assert keys(cursor) == list(range(1, 6 - (confirmations - 1)))


def test_get_events__values__survive_the_database(
    place: Place, node: FakeNode, client: ChainClient
) -> None:
    cursor = open_cursor(place, client)
    node.mine(logs=[stored(2**255, 9)])
    cursor.advance()
    (event,) = cursor.get_events()
    assert event.arguments == {"key": 2**255, "digest": (9).to_bytes(32, "big")}
    assert (event.contract, event.name, event.block_number) == ("Box", "Stored", 1)


JOB_EVENTS = ("JobAccepted", "JobFinalised", "JobRejected", "SlashDistributed")
JOB_ID = {"name": "jobId", "type": "bytes32", "indexed": True}
MARKET_ABI = ContractAbi(
    "Market",
    [
        *({"type": "event", "name": name, "inputs": [JOB_ID]} for name in JOB_EVENTS),
        {
            "type": "event",
            "name": "JobCreated",
            "inputs": [JOB_ID, {"name": "uri", "type": "string", "indexed": False}],
        },
    ],
)
MARKET = Address("0x" + "22" * 20)


def job_log(name: str, job: int, uri: str | None = None) -> dict[str, Any]:
    signature = f"{name}(bytes32,string)" if uri is not None else f"{name}(bytes32)"
    return {
        "address": MARKET,
        "topics": ["0x" + keccak(text=signature).hex(), "0x" + job.to_bytes(32, "big").hex()],
        "data": "0x" + (b"" if uri is None else encode(["string"], [uri])).hex(),
        "transactionHash": "0x" + bytes(32).hex(),
    }


def created(job: int, uri: str = "") -> dict[str, Any]:
    return job_log("JobCreated", job, uri)


def name(job: int) -> str:
    return "0x" + job.to_bytes(32, "big").hex()


def open_market(place: Place, client: ChainClient) -> EventCursor:
    return EventCursor(place, client, {MARKET: MARKET_ABI}, 0, 1)


def test_get_live_jobs__terminal_events__close_jobs_and_a_rejected_one_waits_for_its_slash(
    place: Place, node: FakeNode, client: ChainClient
) -> None:
    cursor = open_market(place, client)
    node.mine(logs=[created(3), created(1), created(2)])
    node.mine(logs=[job_log("JobFinalised", 1), job_log("JobRejected", 2)])
    cursor.advance()
    assert cursor.get_live_jobs() == (name(3), name(2))
    node.mine(logs=[job_log("SlashDistributed", 2), job_log("JobAccepted", 1)])
    cursor.advance()
    assert cursor.get_live_jobs() == (name(3),)
    assert [e.name for e in cursor.get_events(job=name(1))] == [
        "JobCreated", "JobFinalised", "JobAccepted",
    ]  # fmt: skip


def test_get_live_jobs__reorg__exactly_what_the_other_branch_says(
    place: Place, node: FakeNode, client: ChainClient
) -> None:
    cursor = open_market(place, client)
    node.mine(logs=[created(1), created(2)])
    cursor.advance()
    node.mine("a", [job_log("JobFinalised", 1), job_log("JobAccepted", 2), created(3)])
    cursor.advance()
    node.mine("a", [job_log("JobFinalised", 2)])
    cursor.advance()
    assert cursor.get_live_jobs() == (name(3),)
    node.fork(1)
    cursor.advance()
    assert cursor.get_live_jobs() == (name(2), name(3))
    node.fork(1)
    node.mine("b", [job_log("JobFinalised", 2)])
    cursor.advance()
    assert cursor.get_live_jobs() == (name(1),)
    fresh = open_market(elsewhere(place), client)
    fresh.advance()
    assert fresh.get_live_jobs() == cursor.get_live_jobs()
    assert fresh.get_events() == cursor.get_events()


def test_get_events__endless_uri__dropped(
    place: Place, node: FakeNode, client: ChainClient
) -> None:
    cursor = open_market(place, client)
    node.mine(logs=[created(1, "u" * 2048), created(2, "u" * 2049), created(3, "a\0b")])
    cursor.advance()
    assert [e.arguments["uri"] for e in cursor.get_events()] == ["u" * 2048, "", "a\0b"]


def test_advance__node_refuses_wide_ranges__halves_and_grows_again(
    place: Place, node: FakeNode, client: ChainClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 41):
        node.mine(logs=[stored(number, number)])
    answer, widths, limit = node.eth_getLogs, [], 7

    def get_logs(query: dict[str, Any]) -> Any:
        width = int(query["toBlock"], 16) - int(query["fromBlock"], 16) + 1
        if width > limit:
            raise RpcError("eth_getLogs", -32602, "block range is limited to 7", None)
        widths.append(width)
        return answer(query)

    monkeypatch.setattr(node, "eth_getLogs", get_logs)
    cursor = open_cursor(place, client)
    assert cursor.advance() == 40
    assert keys(cursor) == list(range(1, 41))
    limit = MAX_SPAN
    for number in range(41, 91):
        node.mine(logs=[stored(number, number)])
    cursor.advance()
    assert keys(cursor) == list(range(1, 91))
    assert max(widths) > 7


@pytest.mark.parametrize("message", ["block range is limited to 0", "no such account"])
def test_advance__node_refuses_for_good__raised(
    place: Place,
    node: FakeNode,
    client: ChainClient,
    monkeypatch: pytest.MonkeyPatch,
    message: str,
) -> None:
    def get_logs(_: object) -> Any:
        raise RpcError("eth_getLogs", -32602, message, None)

    monkeypatch.setattr(node, "eth_getLogs", get_logs)
    node.mine()
    with pytest.raises(RpcError, match=message):
        open_cursor(place, client).advance()


def test_advance__endpoints_hold_different_blocks__waits_and_tells(
    place: Place, node: FakeNode, client: ChainClient
) -> None:
    told: list[dict[str, Any]] = []
    cursor = EventCursor(
        place, client, {CONTRACT: ABI}, 0, 2,
        notify=lambda name, **facts: told.append({"name": name, **facts}),
    )  # fmt: skip
    node.others["http://other"] = other = FakeNode()
    node.mine("a", [stored(1, 1)])
    other.mine("b", [stored(2, 2)])
    node.mine()
    assert cursor.advance() == -1  # not even the block that both hold: they are read together
    assert keys(cursor) == []
    assert (told[0]["name"], told[0]["others"]) == ("endpoints-disagree", ("http://other",))
    other.fork(1)
    other.mine("a", [stored(1, 1)])
    assert cursor.advance() == 1
    assert keys(cursor) == [1]


def test_advance__other_endpoint_behind__does_not_hold_it_up(
    place: Place, node: FakeNode, client: ChainClient
) -> None:
    node.others["http://other"] = FakeNode()
    node.mine(logs=[stored(1, 1)])
    cursor = open_cursor(place, client)
    cursor.advance()
    assert keys(cursor) == [1]


def test_advance__reorg_while_the_logs_are_read__nothing_of_two_branches_is_mixed(
    place: Place, node: FakeNode, client: ChainClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = open_cursor(place, client)
    node.mine("a", [stored(1, 1)])
    cursor.advance()
    node.mine("a", [stored(2, 2)])
    node.mine("a", [stored(3, 3)])
    answer = node.eth_getLogs

    def get_logs(query: dict[str, Any]) -> Any:
        logs = answer(query)
        monkeypatch.setattr(node, "eth_getLogs", answer)
        node.fork(3)
        for number in (4, 5, 6):
            node.mine("b", [stored(number, number)])
        return logs

    monkeypatch.setattr(node, "eth_getLogs", get_logs)
    cursor.advance()
    assert keys(cursor) == [1]
    cursor.advance()
    assert keys(cursor) == [4, 5, 6]


def test_advance__reorg_just_before_a_range_is_read__not_stored_on_the_lost_branch(
    place: Place, node: FakeNode, client: ChainClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = open_cursor(place, client)
    node.mine("a", [stored(1, 1)])
    cursor.advance()
    node.mine("a", [stored(2, 2)])
    get_head = client.get_head

    def reorganise() -> Any:
        monkeypatch.setattr(client, "get_head", get_head)
        node.fork(2)
        node.mine("b", [stored(4, 4)])
        node.mine("b", [stored(5, 5)])
        return get_head()

    monkeypatch.setattr(client, "get_head", reorganise)  # after the cursor has looked back
    cursor.advance()
    assert keys(cursor) == [1]
    cursor.advance()
    assert keys(cursor) == [4, 5]


def test_advance__two_processes__each_range_is_stored_once(
    place: Place, node: FakeNode, client: ChainClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = open_cursor(place, client), open_cursor(place, client)
    node.mine("a", [stored(1, 1)])
    get_logs = client.get_logs

    def overtaken(*arguments: Any) -> Any:
        monkeypatch.setattr(client, "get_logs", get_logs)
        second.advance()
        return get_logs(*arguments)

    monkeypatch.setattr(client, "get_logs", overtaken)
    first.advance()
    assert keys(first) == keys(second) == [1]


def test_advance__database_deleted_while_it_runs__read_again_from_the_chain(
    place: Place, node: FakeNode, client: ChainClient
) -> None:
    cursor = open_market(place, client)
    node.mine(logs=[created(1), created(2), job_log("JobFinalised", 1)])
    cursor.advance()
    before = cursor.get_events()
    lose(place)
    with suppress(DatabaseUnavailable):  # a server says so once; a file is made again at once
        assert cursor.get_events() == ()
    cursor.advance()
    assert cursor.get_events() == before
    assert cursor.get_live_jobs() == (name(2),)


def test_open__another_deployment_in_the_same_file__sees_none_of_its_events(
    place: Place, node: FakeNode, client: ChainClient
) -> None:
    node.mine(logs=[stored(1, 1)])
    open_cursor(place, client).advance()
    other = EventCursor(place, client, {MARKET: MARKET_ABI}, 0, 1)
    assert (other.get_position(), other.get_events()) == (-1, ())


def test_collect_logs__node_refuses_wide_ranges__asked_for_in_halves(
    node: FakeNode, client: ChainClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 21):
        node.mine(logs=[stored(number, number)])
    answer = node.eth_getLogs

    def get_logs(query: dict[str, Any]) -> Any:
        if int(query["toBlock"], 16) - int(query["fromBlock"], 16) + 1 > 3:
            raise RpcError("eth_getLogs", -32602, "block range is limited to 3", None)
        return answer(query)

    monkeypatch.setattr(node, "eth_getLogs", get_logs)
    whole = client.collect_logs([CONTRACT], 1, 20)
    assert [int(log["blockNumber"], 16) for log in whole] == list(range(1, 21))
    with pytest.raises(RpcError, match="limited"):
        client.get_logs([CONTRACT], 1, 20)


def test_collect_logs__another_refusal__raised(
    node: FakeNode, client: ChainClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get_logs(_query: dict[str, Any]) -> Any:
        raise RpcError("eth_getLogs", -32601, "no such method", None)

    monkeypatch.setattr(node, "eth_getLogs", get_logs)
    with pytest.raises(RpcError, match="no such method"):
        client.collect_logs([CONTRACT], 1, 20)
