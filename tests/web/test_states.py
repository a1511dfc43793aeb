"""What a stream says of its state is so: measured, with a name for everything an app can get stuck in; and what it says
when a file is not one."""

import base64
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from browser.browsers import Tab
from browser.server import Server
from support import ROOT

PAGE = """<!doctype html><meta charset=utf-8>
<meta http-equiv="Content-Security-Policy" content="{policy}"><p>An empty page."""
HTML = b"<!doctype html><html><body>The app, whatever the address.</body></html>"
LONGEST = 300


@pytest.fixture
def states(server: Server) -> str:
    return f"{server.origin}/pages/states.js"


def test_states_of_a_node(live: Tab, states: str) -> None:
    answer = live.call(states, "nodeStates")
    on, off = (lambda name: [name, True]), (lambda name: [name, False])
    wanted = [
        *(off("no-input"), on("suppressing"), off("bypass"), on("suppressing"), on("silent"), on("suppressing")),
        *(off("suspended"), on("suppressing"), off("ended")),
    ]
    assert answer["found"] == wanted
    assert [name for name in answer["states"] if name != "fallback"][-len(wanted) :] == [name for name, _ in wanted]
    assert [entry for entry in answer["log"] if entry[0] == "fallback"] == [["fallback", "suspended"]]


def test_an_audio_thread_that_is_not_called(live: Tab, states: str) -> None:
    answer = live.call(states, "stalledNode")
    assert answer["found"] == [["suppressing", True], ["stalled", False], ["suppressing", True]]
    assert ["fallback", "stalled"] in answer["log"] and answer["log"][-1] == ["ready", None]


@pytest.mark.parametrize("path", ["worklet", "frames"])
def test_states_of_a_track(live: Tab, states: str, path: str) -> None:
    answer = live.call(states, "trackStates", path)
    names = ["suppressing", "muted", "suppressing", *(["no-input", "suppressing"] if path == "frames" else []), "ended"]
    assert [name for name, _ in answer["found"]] == names
    assert answer["states"][-2:] == names[-2:] and "muted" in answer["states"]


def test_a_worker_that_dies(live: Tab, states: str) -> None:
    """Nothing else can feed its track: that is told, and the track ends, as a microphone does that is pulled out."""
    answer = live.call(states, "deadWorker")
    assert answer["found"] == [["suppressing", True], ["stalled", False], ["ended", False]]
    assert ["fallback", "worklet"] in answer["log"] and (answer["ended"], answer["readyState"]) == (1, "ended")


FILES = {
    "kernel": {"simd128": "/none.wasm", "relaxed": "/none.wasm"},
    "weights": {"weights": "/none.sordino"},
    "everything": {"base": "/nowhere/"},
}


@pytest.mark.parametrize("missing", FILES)
@pytest.mark.parametrize("path", ["worklet", "frames"])
def test_a_start_that_fails_is_told_once(live: Tab, states: str, path: str, missing: str) -> None:
    answer = live.call(states, "failedStart", path, FILES[missing])
    told = answer["states"]
    assert (told[0], told[-2:], answer["state"], answer["heard"]) == (
        "fallback",
        ["fallback", "ended"],
        "fallback",
        True,
    )
    assert all(name != following for name, following in pairwise(told)), told


@pytest.mark.parametrize("path", ["worklet", "frames"])
def test_the_other_sides_voice(live: Tab, states: str, path: str) -> None:
    answer = live.call(states, "remoteVoice", path)
    wanted = {"heard": True, "stays": True, "frames": path == "frames", "state": "suppressing", "suppressing": True}
    assert answer == wanted


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Server]:
    """The package's files on another origin, as on a CDN."""
    with Server({"sordino": ROOT / "web" / "dist"}) as cdn:
        cdn.headers = {"Access-Control-Allow-Origin": "*"}
        yield cdn


BASE = "default-src 'self'; connect-src *; script-src * 'wasm-unsafe-eval'"
FORBIDDEN = {
    "cross-origin": ("", "Worker"),
    "trusted types": ("require-trusted-types-for 'script'", "trusted-types"),
    "worker-src": (f"{BASE}; worker-src 'none'", "worker-src"),
    "child-src": (f"{BASE}; child-src 'none'", "-src"),
}


@pytest.mark.parametrize("how", FORBIDDEN)
def test_the_worklet_takes_over(live: Tab, server: Server, states: str, elsewhere: Server, how: str) -> None:
    policy, named = FORBIDDEN[how]
    server.data["/forbidden.html"] = PAGE.format(policy=policy).encode()
    live.open(f"{server.origin}/forbidden.html")
    options = {"assets": {"base": f"{elsewhere.origin}/sordino/"}} if how == "cross-origin" else {}
    answer = live.call(states, "takeOver", options)
    assert answer["log"][:2] == [["error", "worklet"], ["fallback", "worklet"]] and answer["log"][2] == ["ready", None]
    assert (answer["state"], answer["suppressing"], answer["heard"]) == ("suppressing", True, True)
    assert answer["latency"] == 1888
    assert named in answer["messages"][0] and len(answer["messages"][0]) <= LONGEST, answer["messages"]


WRONG = {
    "simd128": ("fetch", "wanted a wasm module from"),
    "weights": ("fetch", "wanted a weight file from"),
    "worklet": ("worklet", "wanted a script"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_page_instead_of_a_file(live: Tab, server: Server, states: str, what: str) -> None:
    """As single-page servers answer: the error has the address, what came and what was wanted, and is short."""
    server.data["/app/nothing.html"] = HTML
    address = "/app/nothing.html" + "?" + 500 * "x"
    code, wanted = WRONG[what]
    found = live.call(states, "createError", {"engine": "simd128", "assets": {what: address}})
    assert found["code"] == code and wanted in found["message"] and len(found["message"]) <= LONGEST
    assert "<!doctype" in found["message"] and "text/html" in found["message"] and "/app/nothing" in found["message"]


@pytest.mark.parametrize("what", ["simd128", "weights", "worklet"])
def test_inlined_files_are_not_in_messages(live: Tab, states: str, what: str) -> None:
    kind = "text/javascript" if what == "worklet" else "application/wasm"
    inlined = f"data:{kind};base64,{base64.b64encode(b'(' * 70_000).decode()}"
    found: Any = live.call(states, "createError", {"engine": "simd128", "assets": {what: inlined}})
    assert len(found["message"]) <= LONGEST and "KCgo" not in found["message"] and "data:" in found["message"]
