"""The page's server: static files, one configuration, and a policy that names two places."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from offchain.errors import ConfigError
from offchain.gateway.dapp import DappConfig, build_policy, create_dapp_app

CONFIG = DappConfig("http://127.0.0.1:8000/", "https://rpc.example/key", 31337, True)


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html>page")
    (dist / "assets" / "index-abc.js").write_text("1")
    (dist / "config.json").write_text('{"gateway": "built in"}')
    (tmp_path / "secret").write_text("secret")
    (dist / "link").symlink_to(tmp_path / "secret")
    return TestClient(create_dapp_app(CONFIG, dist))


def test_page__served_with_its_policy(client: TestClient) -> None:
    page = client.get("/")
    assert page.text == "<!doctype html>page"
    policy = page.headers["content-security-policy"]
    assert "connect-src 'self' http://127.0.0.1:8000 https://rpc.example;" in policy
    assert "script-src 'self';" in policy and "unsafe" not in policy
    assert page.headers["cache-control"] == "no-cache"
    asset = client.get("/assets/index-abc.js")
    assert "immutable" in asset.headers["cache-control"]
    assert asset.headers["content-security-policy"] == policy


def test_config__is_the_servers__not_a_file_of_the_build(client: TestClient) -> None:
    assert client.get("/config.json").json() == {
        "gateway": "http://127.0.0.1:8000",
        "rpc": "https://rpc.example/key",
        "chainId": 31337,
        "developmentWallet": True,
        "market": None,
    }


@pytest.mark.parametrize(
    "path", ["/..%2fsecret", "/%2e%2e/secret", "/link", "/assets/", "/nothing", "/assets/gone.js"]
)
def test_path__outside_or_missing__not_found(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404 and "secret" not in answer.text
    assert "immutable" not in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "url",
    ["ftp://x", "http://", "http://u:p@x", "http://x;script-src *", "http://x 'unsafe-inline'"],
)
def test_policy__url_that_would_change_it__refused(url: str) -> None:
    with pytest.raises(ConfigError):
        build_policy(DappConfig(url, "http://x", 1))


def test_page__not_built__told_how(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="npm run build"):
        create_dapp_app(CONFIG, tmp_path)
