"""The explorer: what the chain holds, live, page by page, and held against the chain."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from offchain.cli.demo.offers import CHEAT_TITLE, DIGITS
from offchain.cli.demo.showcase import Showcase
from offchain.types import JobId, JobState
from tests.dapp.browser import Watcher, check_page, find_overflow
from tests.dapp.moves import Moves
from tests.dapp.steps import await_state, connect, order_digit

PAGE = 20  # rows of a list
FORGED = "weights/fc0.w.bin"
OPEN = {"access-control-allow-origin": "*"}


@pytest.fixture(scope="module")
def moves(stage: Showcase) -> Moves:
    return Moves(stage)


def test_overview__counts_and_latest_jobs__lead_to_their_pages(
    page: Page, stage: Showcase, moves: Moves, watcher: Watcher
) -> None:
    watcher.allow(r"404.*/content/")  # the input of this job is nowhere
    job = moves.order(moves.create_account())
    page.goto(f"{stage.dapp}#/explorer")
    stats = page.get_by_test_id("stats")
    expect(stats.locator(".stat", has_text="Models")).to_contain_text("3")
    expect(stats.locator(".stat", has_text="Operators")).to_contain_text(re.compile("[2-9]"))
    expect(page.get_by_test_id("as-of").first).to_contain_text(re.compile(r"as of block \d+"))
    row = page.get_by_test_id("jobs").locator("tr", has=page.locator(f'[href="#/jobs/{job}"]'))
    expect(row).to_contain_text("Waiting")
    expect(row).to_contain_text("Language of a text")
    check_page(page, "explorer")
    row.locator(f'[href="#/jobs/{job}"]').click()
    await_state(page, "OPEN")


def test_jobs__more_than_a_page__turned_and_narrowed(
    page: Page, stage: Showcase, moves: Moves
) -> None:
    client = moves.create_account()
    jobs = [moves.order(client) for _ in range(PAGE + 2)]
    page.goto(f"{stage.dapp}#/jobs?client={client}")
    rows = page.get_by_test_id("jobs").locator("tbody tr")
    expect(rows).to_have_count(PAGE)
    expect(rows.first).to_contain_text(jobs[-1][2:8])  # newest first
    page.get_by_test_id("older").click()
    expect(rows).to_have_count(2)
    expect(rows.last).to_contain_text(jobs[0][2:8])
    check_page(page, "jobs")  # two rows: a full page takes long to look at
    page.get_by_role("link", name="Newest").click()
    expect(rows).to_have_count(PAGE)
    page.get_by_test_id("filter-state").select_option("final")
    expect(page.get_by_test_id("empty")).to_be_visible()
    page.get_by_test_id("filter-state").select_option("open")
    expect(rows).to_have_count(PAGE)
    page.get_by_role("button", name="Remove the filter client").click()
    expect(page).to_have_url(re.compile(r"#/jobs\?state=open$"))


@pytest.mark.parametrize("is_streaming", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_jobs__changed_on_chain__shown_without_a_reload(
    page: Page, stage: Showcase, moves: Moves, is_streaming: bool
) -> None:
    client = moves.create_account()
    if not is_streaming:
        page.route(f"{stage.gateway}/events**", lambda route: route.fulfill(status=204))
    page.goto(f"{stage.dapp}#/jobs?client={client}")
    expect(page.get_by_test_id("empty")).to_be_visible()
    if is_streaming:
        check_page(page, "jobs-none")
    label = "appear by themselves" if is_streaming else "every few seconds"
    expect(page.get_by_test_id("as-of")).to_contain_text(label)
    job = moves.order(client)
    rows = page.get_by_test_id("jobs").locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("Waiting")
    moves.send(moves.contracts.market.build_cancel_job(job), client)
    expect(rows.first).to_contain_text("Cancelled")


def test_models__listed_and_described(page: Page, stage: Showcase) -> None:
    page.goto(f"{stage.dapp}#/models")
    rows = page.get_by_test_id("models").locator("tbody tr")
    expect(rows).to_have_count(3)
    check_page(page, "models")
    page.get_by_role("link", name=CHEAT_TITLE).click()
    expect(page.get_by_test_id("model-registration")).to_contain_text("Adjudicator")
    report = page.get_by_test_id("report")
    expect(report).to_contain_text("Held-out data")
    expect(report.get_by_text(re.compile(r"9\d(\.\d+)? %")).first).to_be_visible()
    expect(page.get_by_test_id("model-files")).to_contain_text("graph.json")


def test_model__files_as_registered__said_by_the_browser(page: Page, stage: Showcase) -> None:
    page.goto(f"{stage.dapp}#/models/{stage.versions['digits']}")
    page.get_by_test_id("verify-start").click()
    expect(page.get_by_test_id("verify-good")).to_contain_text("2 410 weights")
    check_page(page, "model")


def test_model__a_weight_changed_by_the_gateway__found_by_the_browser(
    page: Page, stage: Showcase
) -> None:
    """A gateway that changes a file and its own list of files too is still found out."""
    original = (stage.folder / "models" / DIGITS.folder / FORGED).read_bytes()
    forged = bytes([original[0] ^ 1]) + original[1:]

    def relist(route: Route) -> None:
        answer = route.fetch()
        document: dict[str, Any] = answer.json()
        (listed,) = (file for file in document["files"] if file["path"] == FORGED)
        listed["sha256"] = sha256(forged).hexdigest()
        route.fulfill(response=answer, json=document)

    page.route(f"**/files/{FORGED}", lambda route: route.fulfill(body=forged, headers=OPEN))
    page.route("**/bundle.json", relist)
    page.goto(f"{stage.dapp}#/models/{stage.versions['digits']}")
    page.get_by_test_id("verify-start").click()
    expect(page.get_by_test_id("verify-bad")).to_contain_text("weights are not those")


def test_operators__stake_and_behaviour__shown(page: Page, stage: Showcase) -> None:
    page.goto(f"{stage.dapp}#/operators")
    owner = stage.operators["honest"]
    page.get_by_test_id("operators").locator(f'[href="#/operators/{owner}"]').click()
    expect(page.get_by_test_id("stake")).to_contain_text(re.compile(r"(19|20)(\.\d+)? ETH"))
    expect(page.get_by_test_id("behaviour")).to_contain_text("Final or proven")
    check_page(page, "operator")
    page.go_back()
    check_page(page, "operators")


def test_disputes__open_one__with_its_clock(page: Page, stage: Showcase, moves: Moves) -> None:
    connect(page, 3)
    job = JobId(order_digit(page, stage, "cheat", example=2))
    await_state(page, "COMMITTED")
    found = moves.contracts.market.get_job(job)
    bond = moves.contracts.game.get_required_bond(job)
    challenge = moves.contracts.game.build_challenge(job, found.out_digest, 2 * bond)
    moves.send(challenge, moves.create_account())
    assert moves.contracts.market.get_job(job).state is JobState.DISPUTED

    page.goto(f"{stage.dapp}#/disputes?state=open")
    row = page.get_by_test_id("disputes").locator("tr", has=page.locator(f'[href="#/jobs/{job}"]'))
    expect(row.get_by_test_id("countdown")).to_contain_text(re.compile(r"\d+ (min|s)"))
    expect(row).to_contain_text("Proof due")
    check_page(page, "disputes")
    page.goto(f"{stage.dapp}#/explorer")
    expect(page.get_by_role("heading", name="Disputed now")).to_be_visible()


def test_session__its_batch__recomputed_and_challenged_leaf_by_leaf(
    page: Page, stage: Showcase, moves: Moves
) -> None:
    connect(page, 2)
    session = moves.serve_session(5, cheated=4)
    page.goto(f"{stage.dapp}#/sessions")
    page.get_by_test_id("sessions").locator(f'[href="#/sessions/{session}"]').click()
    expect(page.get_by_test_id("session")).to_contain_text("0.001 ETH")
    check_page(page, "session")
    page.get_by_test_id("batches").get_by_role("link").first.click()
    expect(page.get_by_test_id("batch-checked")).to_contain_text("all 5")
    expect(page.get_by_test_id("leaves").locator("tbody tr")).to_have_count(5)
    check_page(page, "batch")
    batch = page.request.get(f"{stage.gateway}/batches/{page.url.rsplit('/', 1)[1]}").json()
    page.goto(f"{stage.dapp}#/jobs/{batch['leaves'][0]['job']}")
    expect(page.get_by_role("main")).to_contain_text("result 0 of a session's batch")
    check_page(page, "job-in-batch")
    page.get_by_role("link", name="See the batch").click()
    page.get_by_role("button", name="Look at result 0").click()
    expect(page.get_by_test_id("leaf-agrees")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Look at result 4").click()
    expect(page.get_by_test_id("inclusion")).to_contain_text("Level 3, to the left")
    expect(page.get_by_test_id("leaf-differs")).to_be_visible()
    check_page(page, "batch-leaf")
    page.get_by_test_id("leaf-challenge").click()
    page.get_by_test_id("leaf-extracted").get_by_role("link").click()
    await_state(page, "DISPUTED")
    expect(page.get_by_test_id("dispute")).to_contain_text("You are in it")


def test_batch__a_result_changed_by_the_gateway__found_by_the_browser(
    page: Page, stage: Showcase, moves: Moves
) -> None:
    moves.serve_session(2)

    def change(route: Route) -> None:
        answer = route.fetch()
        document: dict[str, Any] = answer.json()
        document["leaves"][0]["outDigest"] = "0x" + "11" * 32
        route.fulfill(response=answer, json=document)

    page.goto(f"{stage.dapp}#/sessions")
    page.route(re.compile(r"/batches/0x"), change)
    page.get_by_test_id("sessions").locator("tbody a").first.click()
    page.get_by_test_id("batches").get_by_role("link").first.click()
    expect(page.get_by_text("do not hash to the batch's id")).to_be_visible()
    expect(page.get_by_role("button", name="Look at result").first).to_be_disabled()


def test_account__its_movements__told(
    page: Page, stage: Showcase, moves: Moves, watcher: Watcher
) -> None:
    watcher.allow(r"404.*/accounts/")  # until the gateway has read the block
    client = moves.create_account()
    job = moves.order(client, fee=7)
    moves.send(moves.contracts.market.build_cancel_job(job), client)
    page.goto(f"{stage.dapp}#/accounts/{client.lower()}")
    movements = page.get_by_test_id("movements").locator("tbody tr")
    expect(movements).to_have_count(2)
    expect(movements.first).to_contain_text("Credited")
    expect(movements.last).to_contain_text("Paid into escrow")
    expect(page.get_by_test_id("account")).to_contain_text("Jobs ordered")
    check_page(page, "account-explorer")


def test_phone__tabs__the_present_one_in_sight(phone: Page, stage: Showcase) -> None:
    phone.goto(f"{stage.dapp}#/sessions")
    expect(phone.get_by_test_id("tab-sessions")).to_be_in_viewport()
    assert find_overflow(phone) == 0
    check_page(phone, "sessions")
