"""The web page as static files: what it may load and whom it may talk to, nobody else decides."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from offchain.errors import ConfigError

DIST: Final = Path(__file__).parents[1] / "dapp" / "dist"
ASSETS: Final = "/assets/"  # named by their content's hash
FOREVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class DappConfig:
    """What the page reads as config.json."""

    gateway: str
    rpc: str
    chain_id: int
    development_wallet: bool = False  # signs with the accounts that a development node unlocks
    market: str = ""  # of the deployment that is meant; empty: the gateway's, on a local chain only

    def to_json(self) -> dict[str, Any]:
        """Return the file's content."""
        return {
            "gateway": self.gateway.rstrip("/"),
            "rpc": self.rpc,
            "chainId": self.chain_id,
            "developmentWallet": self.development_wallet,
            "market": self.market or None,
        }


def build_policy(config: DappConfig) -> str:
    """Return the Content-Security-Policy: own scripts and styles, and two places to talk to."""
    places = sorted({name_origin(config.gateway), name_origin(config.rpc)})
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "font-src 'self'",
            "img-src 'self' data: blob:",
            "connect-src 'self' " + " ".join(places),
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def name_origin(url: str) -> str:
    """Return a URL's origin as a policy names it; raises ConfigError for what is no http(s) URL."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise ConfigError("expected an http(s) URL") from None
    host = parts.hostname or ""
    is_plain = bool(host) and all(c.isalnum() or c in "-.:" for c in host)
    if parts.scheme not in ("http", "https") or not is_plain or parts.username:
        raise ConfigError("expected an http(s) URL of a host, without a user")
    return f"{parts.scheme}://" + (f"[{host}]" if ":" in host else host) + port


def create_dapp_app(config: DappConfig, dist: Path = DIST) -> ASGIApp:
    """Return the application; raises ConfigError where the page was not built."""
    if not (dist / "index.html").is_file():
        raise ConfigError(
            f"there is no page at {dist}: build it with `npm ci --ignore-scripts` and "
            "`npm run build` in offchain/dapp"
        )

    def get_config(_: Request) -> JSONResponse:
        return JSONResponse(config.to_json())

    routes = [
        Route("/config.json", get_config, methods=["GET"]),
        Mount("/", StaticFiles(directory=dist, html=True)),
    ]
    return _PageHeaders(Starlette(routes=routes), build_policy(config))


class _PageHeaders:
    """Adds the headers of a page that holds a wallet."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin-allow-popups",  # wallets open windows
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                is_lasting = scope["path"].startswith(ASSETS) and message["status"] == 200
                headers["Cache-Control"] = FOREVER if is_lasting else "no-cache"
            await send(message)

        await self._app(scope, receive, send_with_headers)
