"""Other programs: run one, ask one, install one."""

import os
import shutil
import subprocess
from pathlib import Path

from builder.paths import BUILD, PYTHON, ROOT, VENV
from builder.steps import Failure, timed

PIP: list[str | Path] = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]


def run(*command: str | Path) -> None:
    """Run a command in the repository's root; its output is shown only when it fails.

    raises  Failure with the end of the output for any status but 0
    """
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(BUILD / "zig"), "ZIG_LOCAL_CACHE_DIR": str(BUILD / "zig")}
    environment["PATH"] = f"{VENV / 'bin'}{os.pathsep}{environment['PATH']}"
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        check=False,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode != 0:
        tail = done.stdout.decode(errors="replace")[-8000:]
        raise Failure(f"status {done.returncode} from: {' '.join(words)}\n{tail}")


def answers(*command: str | Path) -> str:
    """What a command prints, or nothing where it fails or does not exist."""
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def apt_install(packages: list[str], why: str) -> bool:
    """Install Debian packages where that is allowed, else say which ones are wanted. Returns whether they were."""
    if not packages:
        return True
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(f"{why}: please install {' '.join(packages)} (Debian: sudo apt-get install {' '.join(packages)})")
        return False
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    print(flush=True)

    def install() -> None:
        run("apt-get", "update")
        run("apt-get", "install", "-y", *packages)

    timed(f"apt-get {' '.join(packages)}", install)
    return True
