"""The kernel modules in Node and in three browsers give the bytes that the native build gives."""

import pytest

from browser.browsers import Node, Tab
from browser.server import Server
from golden.outputs import Golden
from support import TESTS

WITHOUT_RELAXED_SIMD = ("node", "webkit")


def run_build(runner: Tab | Node, server: Server, build: str, golden: list[Golden], record_property) -> None:
    """Run all golden signals through build/wasm/sordino.<build>.wasm and compare each with the native output."""
    kernel = f"{server.origin}/pages/kernel.js"
    wasm = f"{server.origin}/wasm/sordino.{build}.wasm"
    if not runner.call(kernel, "accepts", wasm):
        assert build == "relaxed" and runner.name in WITHOUT_RELAXED_SIMD, f"{runner.name} refuses {wasm}"
        record_property(f"bytes, {build} in {runner.name}", "the engine knows no relaxed SIMD")
        return
    signals = [{"input": server.origin + signal.input, "output": server.origin + signal.output} for signal in golden]
    request = {"wasm": wasm, "weights": f"{server.origin}/models/standard.sordino", "signals": signals}
    reports = runner.call(kernel, "runGolden", request)
    differing = {
        signal.name: (report["differing"], report["first"])
        for signal, report in zip(golden, reports, strict=True)
        if report["sha256"] != signal.sha256
    }
    samples = sum(report["samples"] for report in reports)
    record_property(f"bytes, {build} in {runner.name}", f"{samples} samples, {len(differing)} signals differ")
    assert not differing, f"differing samples and the first of them: {differing}"
    assert samples >= 30 * 48000


@pytest.mark.parametrize("build", ["simd128", "relaxed"])
def test_browser_gives_the_native_bytes(tab: Tab, server: Server, build: str, golden, record_property) -> None:
    run_build(tab, server, build, golden, record_property)


@pytest.mark.parametrize("build", ["scalar", "simd128", "relaxed"])
def test_node_gives_the_native_bytes(server: Server, build: str, golden, record_property) -> None:
    run_build(Node(server.origin, TESTS / "browser" / "pages"), server, build, golden, record_property)
