"""The API as a client sees it: statuses, headers, forms; and what a hostile one gets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from offchain.chain.typed_data import hash_order
from offchain.errors import DatabaseUnavailable, RpcUnavailable
from offchain.gateway.app import create_app
from offchain.gateway.config import GatewayConfig, Limits
from offchain.submit.content import compute_digest
from offchain.submit.gateway import order_to_json
from offchain.types import Address, Digest, Seconds, SessionRequest
from tests.unit.gateway.fakes import (
    CHAIN_ID,
    HOUR,
    JOB,
    MARKET,
    NOW,
    OPERATOR,
    ORDER,
    ORDERS,
    SESSION,
    STRANGER,
    Scene,
    compact,
    job_of,
    open_scene,
    sign_order,
    sign_request,
    sign_result,
)

RAW = bytes(range(64))
DIGEST = compute_digest(RAW, 8, (1, 64))
NAME = "0x" + DIGEST.hex()
PLACE = f"/content/{NAME}?bits=8&shape=1,64"
OUTPUT = Digest(b"\x02" * 32)
PAGE = "http://127.0.0.1:5173"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    opened = open_scene(tmp_path, dapp_origins=(PAGE,), limits=Limits(max_content_bytes=4096))
    opened.chain.open_session()
    opened.chain.jobs[JOB] = job_of(Address(OPERATOR.address))
    return opened


@pytest.fixture
def client(scene: Scene) -> Iterator[TestClient]:
    with TestClient(create_app(scene.config, scene.gateway)) as opened:
        yield opened


def is_error(answer: Any, status: int, name: str) -> bool:
    told = answer.json()
    return (
        (answer.status_code, told["error"]) == (status, name)
        and set(told) == {"error", "message", "facts"}
        and answer.headers["cache-control"] == "no-store"
    )


# Content


def test_content__put_and_get__lasting_and_tagged_by_its_digest(client: TestClient) -> None:
    assert client.get(f"/content/{NAME}").status_code == 404
    assert client.head(f"/content/{NAME}").status_code == 404
    stored = client.put(PLACE, content=RAW)
    assert (stored.status_code, stored.json()) == (201, {"digest": NAME, "size": 64})
    assert client.put(PLACE, content=RAW).status_code == 200
    got = client.get(f"/content/{NAME}")
    assert got.content == RAW
    assert got.headers["etag"] == f'"{NAME}"'
    assert got.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"] == "attachment"
    head = client.head(f"/content/{NAME}")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "64", b"")
    same = client.get(f"/content/{NAME}", headers={"if-none-match": f'"x", W/"{NAME}"'})
    assert (same.status_code, same.content) == (304, b"")
    other = client.get(f"/content/{NAME}", headers={"if-none-match": '"x"'})
    assert other.status_code == 200


def test_content__post__tells_the_digest(client: TestClient) -> None:
    posted = client.post("/content?bits=8&shape=1,64", content=RAW)
    assert (posted.status_code, posted.json()["digest"]) == (201, NAME)
    assert client.get(f"/content/{NAME}").content == RAW


def test_content__not_its_digest__refused_with_both(client: TestClient) -> None:
    refused = client.put(PLACE, content=RAW[::-1])
    assert is_error(refused, 409, "DigestMismatch")
    assert refused.json()["facts"]["expected"] == NAME
    assert client.get(f"/content/{NAME}").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "",
        "bits=8",
        "bits=7&shape=1,64",
        "bits=8&shape=",
        "bits=8&shape=0,64",
        "bits=8&shape=-1,64",
        "bits=8&shape=1,,64",
        "bits=8&shape=1e2",
        "bits=8&shape=" + ",".join("1" * 9),
        "bits=8&shape=1234567890",
        "bits=8&shape=1,64%0a",
        "bits=8&shape=%D9%A1,64",
    ],
)
def test_content__query_that_makes_no_sense__refused(client: TestClient, query: str) -> None:
    assert is_error(client.put(f"/content/{NAME}?{query}", content=RAW), 422, "InvalidRequest")


@pytest.mark.parametrize(
    "name",
    [
        "0x00",
        NAME.upper(),
        NAME[2:],
        NAME + "0",
        NAME + "%0a",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/gateway.sqlite3",
        "..\\..\\x",
        "0x" + "0" * 62 + "%00%00",
        "locks/gateway",
    ],
)
def test_content__name_that_is_no_digest__never_reaches_a_file(
    client: TestClient, name: str, scene: Scene
) -> None:
    (scene.config.home / "secret.bin").write_bytes(b"secret")
    for method in ("GET", "HEAD", "PUT"):
        answer = client.request(method, f"/content/{name}?bits=8&shape=1,1", content=b"1")
        assert answer.status_code in (404, 405, 422)
        assert b"secret" not in answer.content
    assert not (scene.config.home / "content").exists()


def test_content__too_large__refused_whatever_it_says_it_is(client: TestClient) -> None:
    place = "/content?bits=8&shape=1,4097"
    assert is_error(client.post(place, content=bytes(4097)), 413, "TooLarge")
    chunks = iter([bytes(1000)] * 10)
    assert is_error(client.post(place, content=chunks), 413, "TooLarge")
    assert client.post("/content?bits=8&shape=1,4096", content=bytes(4096)).status_code == 201


def test_content__page_uploaded_as_a_tensor__never_run_by_a_browser(client: TestClient) -> None:
    page = b"<script>alert(document.domain)</script>"
    posted = client.post(f"/content?bits=8&shape=1,{len(page)}", content=page)
    got = client.get(f"/content/{posted.json()['digest']}", headers={"accept": "text/html"})
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in got.headers["content-security-policy"]


# Receipts


def test_receipts__operators_signature__kept_and_shown(client: TestClient) -> None:
    body = {"outDigest": "0x" + OUTPUT.hex(), "signature": "0x" + sign_result(JOB, OUTPUT).hex()}
    assert client.get(f"/receipts/{JOB}").json() == {"jobId": JOB, "items": []}
    stored = client.put(f"/receipts/{JOB}", json=body)
    assert stored.status_code == 201
    expected = {"jobId": JOB, "items": [{"jobId": JOB, **body, "signer": OPERATOR.address}]}
    assert client.get(f"/receipts/{JOB}").json() == expected == stored.json()
    assert client.put(f"/receipts/{JOB}", json=body).status_code == 200


def test_receipts__strangers_signature__refused(client: TestClient) -> None:
    forged = "0x" + sign_result(JOB, OUTPUT, STRANGER).hex()
    answer = client.put(
        f"/receipts/{JOB}", json={"outDigest": "0x" + OUTPUT.hex(), "signature": forged}
    )
    assert is_error(answer, 403, "SignatureRefused")
    assert client.get(f"/receipts/{JOB}").json()["items"] == []


# Orders


def order_body(**changes: Any) -> dict[str, Any]:
    return {**order_to_json(ORDER), "signature": "0x" + sign_order(ORDER).hex(), **changes}


def test_orders__signed__listed_with_price_and_state(client: TestClient) -> None:
    posted = client.post("/orders", json=order_body())
    name = hash_order(CHAIN_ID, ORDERS, ORDER)
    assert (posted.status_code, posted.json()) == (
        201, {"orderHash": name, "price": "1000000000000000"},
    )  # fmt: skip
    assert client.post("/orders", json=order_body()).status_code == 200
    page = client.get("/orders").json()
    (item,) = page["items"]
    assert item["order"] == order_to_json(ORDER)
    assert (item["state"], item["jobId"], page["next"]) == ("open", None, None)
    assert page["asOf"]["block"] == 100
    one = client.get(f"/orders/{name}").json()
    assert one == {**item, "asOf": page["asOf"]}
    assert client.get(f"/orders?version=0x{ORDER.version.hex()}").json()["items"] == [item]
    assert client.get(f"/orders?version=0x{'00' * 32}").json()["items"] == []
    assert client.get("/orders?state=taken").json()["items"] == []
    assert is_error(client.get(f"/orders/0x{'00' * 32}"), 404, "Unknown")


@pytest.mark.parametrize(
    "change",
    [
        {"client": "0x00"},
        {"version": "0x" + "AA" * 32},
        {"minFee": 1},
        {"minFee": "-1"},
        {"maxFee": "1e18"},
        {"maxFee": "9" * 40},
        {"maxFee": str(2**96)},
        {"salt": str(2**64)},
        {"takeUntil": 2**40},
        {"takeUntil": "1"},
        {"takeUntil": True},
        {"takeUntil": 1.5},
        {"verifyMask": 256},
        {"verifyMask": None},
        {"signature": "0x"},
        {"signature": "0x" + "00" * 3000},
        {"surprise": 1},
    ],
)
def test_orders__malformed_field__named(client: TestClient, change: dict[str, Any]) -> None:
    answer = client.post("/orders", json=order_body(**change))
    assert is_error(answer, 422, "InvalidRequest")
    assert len(answer.content) < 2000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b'{"minFee": ' + b"9" * 50_000 + b"}",
        json.dumps("0x" + "00" * 32).encode(),
    ],
)
def test_orders__body_that_is_no_order__refused(client: TestClient, body: bytes) -> None:
    answer = client.post("/orders", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert set(answer.json()) == {"error", "message", "facts"}
    assert len(answer.content) < 3000


def test_orders__body_too_large__refused(client: TestClient) -> None:
    answer = client.post("/orders", content=b" " * 70_000)
    assert is_error(answer, 413, "TooLarge")


# Sessions


def test_sessions__request_and_result__reach_each_other(client: TestClient, scene: Scene) -> None:
    request = SessionRequest(SESSION, 3, DIGEST, Seconds(NOW + HOUR))
    body = {
        "nonce": 3, "inDigest": NAME, "validUntil": NOW + HOUR,
        "signature": "0x" + sign_request(request).hex(),
    }  # fmt: skip
    place = f"/sessions/{SESSION}/requests"
    early = client.post(place, json=body)
    assert is_error(early, 409, "Refused") and "upload" in early.json()["message"]
    client.put(PLACE, content=RAW)
    posted = client.post(place, json=body)
    assert posted.status_code == 201
    assert posted.json()["signature"] == "0x" + compact(sign_request(request)).hex()
    assert client.post(place, json=body).status_code == 200
    (item,) = client.get(f"{place}?state=open").json()["items"]
    assert item["nonce"] == 3 and item["state"] == "open"

    job, output = item["jobId"], "0x" + OUTPUT.hex()
    signature = "0x" + sign_result(job, OUTPUT).hex()
    result = {"nonce": 3, "outDigest": output, "signature": signature}
    served = client.post(f"/sessions/{SESSION}/results", json=result)
    assert served.status_code == 201
    assert client.post(f"/sessions/{SESSION}/results", json=result).status_code == 200
    one = client.get(f"{place}/3").json()
    assert (one["state"], one["outDigest"]) == ("served", output)
    assert one["receipts"][0]["signature"] == signature
    session = client.get(f"/sessions/{SESSION}").json()
    assert session["requests"] == {"open": 0, "served": 1, "expired": 0}
    assert session["state"] == "open" and session["fee"] == "1000000000000000"


def test_sessions__nobody_knows_it__unknown(client: TestClient) -> None:
    unknown = "0x" + "ee" * 32
    assert is_error(client.get(f"/sessions/{unknown}"), 404, "Unknown")
    assert is_error(client.get(f"/sessions/{unknown}/requests/1"), 404, "Unknown")
    assert client.get(f"/sessions/{unknown}/requests").json()["items"] == []


@pytest.mark.parametrize("nonce", ["-1", str(2**32), "1.5", "x", "0x1"])
def test_sessions__nonce_that_is_none__refused(client: TestClient, nonce: str) -> None:
    answer = client.get(f"/sessions/{SESSION}/requests/{nonce}")
    assert is_error(answer, 422, "InvalidRequest")


# The deployment


def test_config__facts_of_the_deployment__without_the_gateways_own_node(
    client: TestClient,
) -> None:
    told = client.get("/config").json()
    assert told["contracts"] == {"JobMarket": MARKET}
    assert told["rpcUrl"] == ""
    assert told["parameters"]["challengeSeconds"] == "15"
    assert told["limits"]["maxContentBytes"] == 4096
    assert client.get("/abi/JobMarket").json() == {
        "name": "JobMarket",
        "address": MARKET,
        "abi": [],
    }
    assert is_error(client.get("/abi/Nothing"), 404, "Unknown")
    assert is_error(client.get("/abi/..%2fx"), 404, "Unknown")


def test_health__index_does_not_follow__degraded(client: TestClient, scene: Scene) -> None:
    assert client.get("/health").json()["status"] == "ok"
    scene.index.is_stale = True
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "degraded")


# Errors and headers


@pytest.mark.parametrize(
    ("failure", "part"),
    [
        (RpcUnavailable("eth_call", 6, "https://node/secret-token"), "node"),
        (DatabaseUnavailable("/home/x", "secret-token"), "database"),
    ],
)
def test_unavailable__told_without_detail(
    client: TestClient, scene: Scene, failure: Any, part: str
) -> None:
    scene.chain.failure = failure
    answer = client.get(f"/sessions/{SESSION}")
    assert is_error(answer, 503, "Unavailable")
    assert answer.json()["facts"] == {"part": part}
    assert "secret" not in answer.text and answer.headers["retry-after"] == "5"


def test_defect__told_without_detail_and_logged(client: TestClient, scene: Scene) -> None:
    scene.chain.opened[SESSION] = None  # type: ignore[assignment]
    scene.chain.find_session = lambda _: 1 / 0  # type: ignore[assignment,method-assign,return-value]
    answer = client.get(f"/sessions/{SESSION}", headers={"origin": PAGE})
    assert is_error(answer, 500, "InternalError")
    assert "division" not in answer.text
    assert answer.headers["access-control-allow-origin"] == PAGE
    ((_, facts),) = [event for event in scene.log.events if event[0] == "defect"]
    assert "ZeroDivisionError" in facts["cause"]


@pytest.mark.parametrize(
    ("method", "path", "status", "name"),
    [("GET", "/nothing", 404, "Unknown"), ("DELETE", "/orders", 405, "MethodNotAllowed")],
)
def test_no_such_route__same_form(
    client: TestClient, method: str, path: str, status: int, name: str
) -> None:
    assert is_error(client.request(method, path), status, name)


def test_cors__pages_that_are_named__and_no_others(client: TestClient) -> None:
    allowed = client.get("/orders", headers={"origin": PAGE})
    assert allowed.headers["access-control-allow-origin"] == PAGE
    assert "access-control-allow-credentials" not in allowed.headers
    other = client.get("/orders", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
    for answer in (allowed, other, client.get("/orders")):
        assert "Origin" in answer.headers["vary"]  # or a cache gives one's answer to the other
    asked = {"origin": PAGE, "access-control-request-method": "PUT"}
    assert client.options(PLACE, headers=asked).headers["access-control-allow-origin"] == PAGE
    refused = client.get(f"/content/{NAME}", headers={"origin": PAGE})
    assert refused.status_code == 404
    assert refused.headers["access-control-allow-origin"] == PAGE


def test_limits__requests_of_an_address__429_with_the_time_to_wait(tmp_path: Path) -> None:
    scene = open_scene(tmp_path, limits=Limits(requests_per_minute=3), dapp_origins=("*",))
    with TestClient(create_app(scene.config, scene.gateway)) as client:
        assert [client.get("/orders").status_code for _ in range(4)] == [200, 200, 200, 429]
        answer = client.get("/orders", headers={"origin": PAGE, "x-forwarded-for": "1.2.3.4"})
        assert is_error(answer, 429, "TooMany")
        assert answer.headers["retry-after"] == "20"
        assert answer.headers["access-control-allow-origin"] == "*"
        scene.clock.now += 20
        assert client.get("/orders").status_code == 200


def test_limits__bytes_that_are_hashed_for_an_address__so_many_a_minute(tmp_path: Path) -> None:
    scene = open_scene(tmp_path, limits=Limits(download_bytes_per_minute=100))
    with TestClient(create_app(scene.config, scene.gateway)) as client:
        client.put(PLACE, content=RAW)
        codes = [client.get(f"/content/{NAME}").status_code for _ in range(2)]
        assert codes == [200, 429]
        tag = {"if-none-match": f'"{NAME}"'}
        assert client.get(f"/content/{NAME}", headers=tag).status_code == 304
        scene.clock.now += 60
        assert client.get(f"/content/{NAME}").status_code == 200


def test_limits__operators_results__do_not_count(tmp_path: Path) -> None:
    scene = open_scene(tmp_path, limits=Limits(writes_per_minute=2))
    scene.chain.jobs[JOB] = job_of(Address(OPERATOR.address))
    with TestClient(create_app(scene.config, scene.gateway)) as client:
        for n in range(5):
            digest = bytes([n]) * 32
            signature = "0x" + sign_result(JOB, digest).hex()
            body = {"outDigest": "0x" + digest.hex(), "signature": signature}
            assert client.put(f"/receipts/{JOB}", json=body).status_code == 201
            # What is known already, or forged, does.
        codes = [client.put(f"/receipts/{JOB}", json=body).status_code for _ in range(3)]
        assert codes == [200, 200, 429]


def test_openapi__every_route_is_described(client: TestClient) -> None:
    told = client.get("/openapi.json").json()
    operations = [operation for path in told["paths"].values() for operation in path.values()]
    assert len(operations) > 20
    for operation in operations:
        assert operation["description"] and operation["tags"]
        assert {"422", "429", "503"} <= set(operation["responses"])


@pytest.mark.parametrize(
    "change",
    [
        {"confirmations": 0}, {"poll_s": 0.0}, {"retention_s": -1},
        {"dapp_origins": ("app.example",)},
    ],
)  # fmt: skip
def test_config__senseless_value__refused(tmp_path: Path, change: dict[str, Any]) -> None:
    config = GatewayConfig(tmp_path, "", tmp_path)
    with pytest.raises(ValueError, match=r"confirmations|pauses|duration|origin"):
        replace(config, **change)
