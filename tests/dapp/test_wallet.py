"""Wallets of the browser: announced ones, wrong chains, refusals; each said in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from offchain.cli.demo.showcase import Showcase
from tests.dapp.browser import check_page
from tests.dapp.steps import await_state, choose_example, connect, open_order, submit

NAME: Final = "Fox of the tests"
RDNS: Final = "test.fox"

# A wallet that announces itself (EIP-6963). The node signs, unless a method is told to fail; its
# chain is a pretended one.
WALLET: Final = """(settings) => {
  const listeners = {};
  const asked = (window.askedOfFox = []);
  let chain = settings.chain;
  let isKnown = settings.isKnown;
  const node = async (method, params) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: params ?? [] });
    const headers = { "content-type": "application/json" };
    const answer = await (await fetch(settings.rpc, { method: "POST", headers, body })).json();
    if (answer.error) throw answer.error;
    return answer.result;
  };
  const provider = {
    on: (name, listener) => { listeners[name] = listener; },
    removeListener: (name) => { delete listeners[name]; },
    request: async ({ method, params }) => {
      asked.push(method);
      const code = settings.failures[method];
      if (code) throw Object.assign(new Error("the wallet says no"), { code });
      if (method === "eth_chainId") return chain;
      if (method === "wallet_addEthereumChain") { isKnown = true; return null; }
      if (method === "wallet_switchEthereumChain") {
        if (!isKnown) throw Object.assign(new Error("unknown chain"), { code: 4902 });
        chain = params[0].chainId;
        listeners.chainChanged?.(chain);
        return null;
      }
      if (method === "eth_requestAccounts") return node("eth_accounts");
      return node(method, params);
    },
  };
  window.moveFox = (name, payload) => listeners[name]?.(payload);
  const { name, rdns } = settings;
  const info = { uuid: "6963", name, rdns, icon: "data:image/svg+xml,<svg/>" };
  const announce = () => window.dispatchEvent(
    new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
  window.addEventListener("eip6963:requestProvider", announce);
  announce();
}"""


def install(
    page: Page,
    stage: Showcase,
    failures: Mapping[str, int] | None = None,
    chain: str = "0x7a69",
    is_known: bool = True,
) -> None:
    """Put a wallet into every page that is loaded from now on, and load the page again."""
    settings: dict[str, Any] = {
        "rpc": stage.anvil.url,
        "failures": dict(failures or {}),
        "chain": chain,
        "isKnown": is_known,
        "name": NAME,
        "rdns": RDNS,
    }
    page.add_init_script(f"({WALLET})({json.dumps(settings)})")
    page.reload()


def connect_fox(page: Page) -> None:
    page.get_by_test_id("connect").click()
    expect(page.get_by_test_id("wallet-dialog")).to_contain_text(NAME)
    page.get_by_test_id(f"offer-{RDNS}").click()


def test_wallet__announced__orders_and_is_found_again(page: Page, stage: Showcase) -> None:
    install(page, stage)
    connect_fox(page)
    expect(page.get_by_test_id("wallet")).to_be_visible()
    open_order(page, stage, "digits")
    choose_example(page, 5)
    submit(page)
    await_state(page, "COMMITTED")
    page.reload()
    expect(page.get_by_test_id("wallet")).to_be_visible()  # without a question


def test_wallet__declined_signature__said_without_alarm(page: Page, stage: Showcase) -> None:
    install(page, stage, {"eth_sendTransaction": 4001})
    connect_fox(page)
    open_order(page, stage, "digits")
    choose_example(page, 0)
    page.get_by_test_id("submit").click()
    said = page.get_by_test_id("sending-error")
    expect(said).to_contain_text("You declined in the wallet. Nothing was sent.")
    said.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_test_id("submit")).to_be_enabled()


@pytest.mark.parametrize(
    ("code", "words"),
    [(4001, "You declined in the wallet"), (-32002, "still asking you something")],
)
def test_wallet__refused_connection__said(
    page: Page, stage: Showcase, code: int, words: str
) -> None:
    install(page, stage, {"eth_requestAccounts": code})
    connect_fox(page)
    expect(page.get_by_test_id("wallet-dialog")).to_contain_text(words)


def test_wallet__other_chain__switched_after_it_was_added(page: Page, stage: Showcase) -> None:
    install(page, stage, chain="0x1", is_known=False)
    connect_fox(page)
    expect(page.get_by_test_id("wallet")).to_contain_text("Wrong network")
    open_order(page, stage, "digits")
    choose_example(page, 0)
    page.get_by_test_id("submit-connect").click()
    expect(page.get_by_test_id("submit")).to_be_enabled()
    asked = page.evaluate("() => window.askedOfFox")
    assert "wallet_addEthereumChain" in asked


def test_wallet__account_changed_in_it__followed_and_gone_when_locked(
    page: Page, stage: Showcase
) -> None:
    install(page, stage)
    connect_fox(page)
    expect(page.get_by_test_id("wallet")).to_be_visible()
    other = stage.accounts[1]
    page.evaluate("(account) => window.moveFox('accountsChanged', [account])", other)
    expect(page.get_by_test_id("wallet")).to_contain_text(other[-4:], ignore_case=True)
    page.evaluate("() => window.moveFox('accountsChanged', [])")
    expect(page.get_by_test_id("connect")).to_be_visible()


def test_wallet__development__labelled_and_disconnected(page: Page) -> None:
    page.get_by_test_id("connect").click()
    expect(page.get_by_test_id("wallet-dialog")).to_contain_text("for play money")
    check_page(page, "wallet-dialog")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("connect")).to_be_focused()
    connect(page)
    page.get_by_test_id("wallet").click()
    page.get_by_test_id("disconnect").click()
    expect(page.get_by_test_id("connect")).to_be_visible()
    page.reload()
    expect(page.get_by_test_id("connect")).to_be_visible()


def test_wallet__empty_account__refused_before_anything_is_signed(
    page: Page, stage: Showcase
) -> None:
    install(page, stage)
    connect_fox(page)
    expect(page.get_by_test_id("wallet")).to_be_visible()
    # The node itself does not sign for it; the page finds out first that it cannot pay.
    poor = "0x000000000000000000000000000000000000dEaD"
    page.evaluate("(account) => window.moveFox('accountsChanged', [account])", poor)
    open_order(page, stage, "digits")
    choose_example(page, 0)
    page.get_by_test_id("submit").click()
    expect(page.get_by_test_id("sending-error")).to_contain_text("does not hold enough ETH")
    assert "eth_sendTransaction" not in page.evaluate("() => window.askedOfFox")
