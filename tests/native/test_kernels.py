"""Every dot product of the native build against plain C: this processor's, and AArch64's in an emulator."""

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from builder.kernels import ZIG
from builder.paths import WASM
from builder.programs import run

HERE = Path(__file__).parent
SOURCES = [*sorted((WASM / "nn" / "native").glob("*.c")), WASM / "nn" / "kernels" / "gemv.c", HERE / "kernels.c"]
FLAGS = ["-std=c11", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-DSORDINO_KERNEL_DISPATCH", f"-I{WASM}"]


def compiled(tmp_path: Path, target: str) -> Path:
    program = tmp_path / "kernels"
    run(*ZIG, "cc", "-target", target, *FLAGS, *SOURCES, "-o", program)
    return program


def agreeing(*command: str | Path) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.skipif(platform.system() != "Linux", reason="the targets are Linux")
def test_this_processor(tmp_path, record_property):
    names = agreeing(compiled(tmp_path, f"{platform.machine()}-linux-gnu.2.17"))
    record_property("native dot products that agree with plain C", ", ".join(names))
    assert names[-1] == "scalar"


@pytest.mark.parametrize("cpu", ["max", "cortex-a53"])
def test_aarch64(tmp_path, cpu):
    """The older processor has no dot product instruction."""
    wanted = ["dotprod", "neon", "scalar"][cpu == "cortex-a53" :]
    emulator = shutil.which("qemu-aarch64")
    if not emulator:
        pytest.skip("no qemu-aarch64: apt-get install qemu-user")
    assert agreeing(emulator, "-cpu", cpu, compiled(tmp_path, "aarch64-linux-musl")) == wanted
