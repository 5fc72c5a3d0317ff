"""Ordering on the page: by example, by keyboard, from a picture, as text, with a proof."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from offchain.cli.demo.showcase import Showcase
from tests.dapp.browser import check_page
from tests.dapp.steps import (
    WINDOW_S,
    await_state,
    await_verdict,
    choose_example,
    connect,
    get_state,
    open_order,
    order_digit,
    submit,
)

# A 2 as somebody would scan it: dark on bright, off the middle.
TWO = """() => {
  const canvas = document.createElement("canvas");
  canvas.width = 200; canvas.height = 260;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#f4f0e6"; pen.fillRect(0, 0, 200, 260);
  pen.strokeStyle = "#1b2140"; pen.lineWidth = 18; pen.lineCap = "round";
  pen.beginPath(); pen.moveTo(80, 90);
  for (const [x, y] of [[110, 60], [145, 90], [130, 140], [75, 210], [155, 210]]) pen.lineTo(x, y);
  pen.stroke();
  return canvas.toDataURL("image/png");
}"""


def test_order__example__answered_checked_final(page: Page, stage: Showcase) -> None:
    connect(page)
    open_order(page, stage, "digits")
    choose_example(page, 3)
    check_page(page, "submit")
    submit(page)
    await_state(page, "COMMITTED")
    await_verdict(page, "agrees")
    expect(page.get_by_test_id("label")).to_have_text("3")
    expect(page.get_by_test_id("scores").get_by_role("listitem")).to_have_count(10)
    check_page(page, "job-answered")

    stage.skip(WINDOW_S)
    await_state(page, "FINAL")
    expect(page.get_by_test_id("assurance")).to_contain_text("Unchallenged")
    page.reload()
    await_state(page, "FINAL")
    await_verdict(page, "agrees")
    check_page(page, "job-final")

    page.goto(f"{stage.dapp}#/my-jobs")
    expect(page.get_by_test_id("my-jobs")).to_contain_text("Handwritten digits")
    check_page(page, "my-jobs")


def test_order__text__its_language_named(page: Page, stage: Showcase) -> None:
    connect(page)
    open_order(page, stage, "languages")
    page.get_by_test_id("text").fill("Where is the nearest station, please? 42!")
    encoded = page.get_by_test_id("encoded")
    expect(encoded).to_contain_text("nearest")
    expect(encoded).not_to_contain_text("42")  # only letters count, and the page says so
    check_page(page, "submit-text")
    submit(page)
    await_state(page, "COMMITTED")
    await_verdict(page, "agrees")
    expect(page.get_by_test_id("label")).to_have_text("English")
    expect(page.get_by_test_id("answer")).to_contain_text("nearest station")


@pytest.mark.slow
def test_order__proof_required__proven_without_a_challenge(page: Page, stage: Showcase) -> None:
    connect(page)
    open_order(page, stage, "digits")
    choose_example(page, 1)
    page.get_by_test_id("proof-required").check()
    page.get_by_test_id("fee").fill("0.000001")
    expect(page.get_by_text("A proof costs at least")).to_be_visible()
    expect(page.get_by_test_id("submit")).to_be_disabled()
    page.get_by_role("button", name="Use the suggestion").click()
    submit(page)
    await_state(page, "PROVEN")
    expect(page.get_by_test_id("assurance")).to_contain_text("Proven")
    check_page(page, "job-proof-required")


def test_input__picture__cut_to_its_ink_and_recognised(
    page: Page, stage: Showcase, tmp_path: Path
) -> None:
    connect(page)
    open_order(page, stage, "digits")
    scan = tmp_path / "two.png"
    scan.write_bytes(base64.b64decode(page.evaluate(TWO).split(",")[1]))
    page.get_by_test_id("file").set_input_files(scan)
    expect(page.get_by_test_id("submit")).to_be_enabled()
    submit(page)
    await_state(page, "COMMITTED")
    expect(page.get_by_test_id("label")).to_have_text("2")

    page.goto(f"{stage.dapp}#/submit")
    page.get_by_test_id("file").set_input_files(
        {"name": "no.png", "mimeType": "image/png", "buffer": b"no picture"}
    )
    expect(page.get_by_text("This file is no picture")).to_be_visible()


def test_input__keyboard__draws_erases_and_says_where(page: Page, stage: Showcase) -> None:
    open_order(page, stage, "digits")
    sheet = page.get_by_test_id("sheet")
    ink = sheet.locator(".grid-ink")
    expect(ink).to_have_count(0)
    sheet.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "Space", "Space"):
        sheet.press(key)
    expect(ink).to_have_count(1)
    expect(page.get_by_text("Row 2, column 2: 8 of 16")).to_be_attached()
    sheet.press("Backspace")
    expect(ink).to_have_count(0)


def test_input__pointer__draws_and_a_reload_keeps_it(page: Page, stage: Showcase) -> None:
    open_order(page, stage, "digits")
    sheet = page.get_by_test_id("sheet")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    assert box is not None
    left, top, cell = box["x"], box["y"], box["width"] / 8
    page.mouse.move(left + 4 * cell, top + 3 * cell)
    page.mouse.down()
    page.mouse.move(left + 4 * cell, top + 5 * cell, steps=4)
    page.mouse.up()
    ink = sheet.locator(".grid-ink")
    small = ink.count()
    assert small >= 4  # two columns of two cells: a stroke has the width of a digit's
    page.get_by_role("button", name="Fit it to the grid").click()
    expect(page.get_by_test_id("small")).to_be_hidden()
    drawn = ink.count()
    assert drawn > small
    page.reload()
    expect(ink).to_have_count(drawn)
    page.get_by_test_id("clear").click()
    expect(ink).to_have_count(0)


def test_order__reload_before_a_block_holds_it__goes_on(page: Page, stage: Showcase) -> None:
    connect(page, 3)
    open_order(page, stage, "digits")
    choose_example(page, 2)
    stage.anvil.rpc.request("evm_setIntervalMining", 0)
    try:
        submit(page)
        expect(page.get_by_role("heading", name="Your order is on its way")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name="Your order is on its way")).to_be_visible()
        check_page(page, "job-pending")
    finally:
        stage.anvil.rpc.request("evm_setIntervalMining", 1)
    await_state(page, "COMMITTED")
    await_verdict(page, "agrees")  # with the input that this browser kept


@pytest.mark.slow
def test_order__twice_in_a_row__two_jobs(page: Page, stage: Showcase) -> None:
    connect(page)
    first = order_digit(page, stage, example=4)
    expect(get_state(page)).to_be_attached()
    assert order_digit(page, stage, example=4) != first
