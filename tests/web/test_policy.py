"""Content-Security-Policy: the strict one is enough, and does forbid; where it forbids WebAssembly the voice passes."""

import pytest

from browser.browsers import Tab
from browser.server import Server

VOICE = 0.5 / 2**0.5
"""RMS of the tone that stands for a voice."""
STRICT = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'"
NO_WASM = "default-src 'self'; script-src 'self'"
PAGE = """<!doctype html><meta charset=utf-8>
<meta http-equiv="Content-Security-Policy" content="{policy}"><p>An empty page."""


def open_under(tab: Tab, server: Server, policy: str) -> str:
    """Open an empty page with this policy; returns the address of the module to call there."""
    server.data["/policy.html"] = PAGE.format(policy=policy).encode()
    tab.open(f"{server.origin}/policy.html")
    return f"{server.origin}/pages/policy.js"


def test_the_strict_policy_is_strict_and_enough(tab: Tab, server: Server) -> None:
    page = open_under(tab, server, STRICT)
    assert tab.call(page, "bites") == {"evaluated": "EvalError", "ran": False, "violations": ["eval", "inline"]}
    assert tab.call(page, "create") == "created"


def test_a_policy_without_webassembly_is_named(tab: Tab, server: Server) -> None:
    """But for WebKitGTK, whose worklets know no policy."""
    wanted = "created" if tab.name == "webkit" else "wasm"
    assert tab.call(open_under(tab, server, NO_WASM), "create") == wanted


def test_the_voice_passes_where_webassembly_is_forbidden(live: Tab, server: Server) -> None:
    answer = live.call(open_under(live, server, NO_WASM), "clean", {"retryMs": 60_000})
    assert answer["log"] == [["error", "wasm"], ["fallback", "wasm"]] and not answer["suppressing"]
    assert answer["level"] == pytest.approx(VOICE, rel=0.1)
