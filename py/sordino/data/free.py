"""Free: a corpus for whoever has none, from the recordings in Debian packages and repositories that free.toml lists."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .layouts import Entry, sound_files
from .manifest import CorpusError

LIST = Path(__file__).with_name("free.toml")
Run = Callable[[list[str], Path], None]


@dataclass(frozen=True)
class Rule:
    """Which files of a package are what."""

    kind: str
    path: re.Pattern[str]
    category: str


@dataclass(frozen=True)
class Package:
    """A Debian package, or a public repository, and what its recordings are."""

    name: str
    folder: str
    rules: tuple[Rule, ...]
    repository: str = ""  # address for git; empty: a Debian package
    take: tuple[str, ...] = ()  # of a repository only the files that these patterns of .gitignore's kind name
    licence: str = ""

    @property
    def tools(self) -> tuple[str, ...]:
        """The programs that get it."""
        return ("git",) if self.repository else ("apt-get", "dpkg-deb")

    @property
    def source(self) -> str:
        """As the manifest names it."""
        return f"git:{self.repository}" if self.repository else f"deb:{self.name}"


def read_list(path: Path = LIST) -> list[Package]:
    """The packages and repositories of a list such as free.toml."""
    found = tomllib.loads(path.read_text())
    packages = [
        Package(p["name"], p["folder"], _rules(p), licence=f"see {Path('/usr/share/doc') / p['name'] / 'copyright'}")
        for p in found.get("package", [])
    ]
    return packages + [
        Package(r["name"], "", _rules(r), r["url"], tuple(r["take"]), r["licence"]) for r in found.get("repository", [])
    ]


def _rules(found: dict[str, Any]) -> tuple[Rule, ...]:
    return tuple(Rule(r["kind"], re.compile(r["path"]), r.get("category", "")) for r in found["rules"])


def _run(words: list[str], folder: Path) -> None:
    done = subprocess.run(words, cwd=folder, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise CorpusError(f"{' '.join(words)}: {(done.stderr.strip() or 'no reason given').splitlines()[-1]}")


def fetch(packages: list[Package], folder: Path, say: Callable[[str], None], run: Run | None = None) -> list[Package]:
    """Get packages and repositories and unpack them, without installing anything.

    packages  wanted
    folder    gets a folder per package; those that are there are kept
    say       gets a line per package
    run       carries out a command in a folder
    returns   those that could be had
    raises    CorpusError where none could be had
    """
    found = []
    for package in packages:
        target = folder / package.name
        if not target.is_dir():
            part = folder / f"{package.name}.part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            try:
                absent = [tool for tool in package.tools if run is None and not shutil.which(tool)]
                if absent:
                    raise CorpusError(f"not found: {', '.join(absent)}")
                (_clone if package.repository else _unpack)(package, part, run or _run)
            except CorpusError as error:
                say(f"{package.name}: left out: {error}")
                shutil.rmtree(part, ignore_errors=True)
                continue
            part.rename(target)
        found.append(package)
        say(f"{package.name}: {len(sound_files(target / package.folder))} sound files")
    if not found:
        raise CorpusError(
            "none of the packages and repositories could be had; is there a network, has `apt-get update` been run?"
        )
    return found


def _unpack(package: Package, folder: Path, run: Run) -> None:
    run(["apt-get", "download", package.name], folder)
    archives = sorted(folder.glob("*.deb"))
    if not archives:
        raise CorpusError("apt-get gave no file")
    run(["dpkg-deb", "-x", archives[0].name, "."], folder)
    archives[0].unlink()


def _clone(package: Package, folder: Path, run: Run) -> None:
    """The newest state of a repository, of its files only those wanted."""
    run(["git", "init", "--quiet"], folder)
    run(["git", "sparse-checkout", "set", "--no-cone", *package.take], folder)
    run(["git", "remote", "add", "origin", package.repository], folder)  # --filter wants a remote with a name
    run(["git", "fetch", "--quiet", "--depth=1", "--filter=blob:none", "origin", "HEAD"], folder)
    run(["git", "checkout", "--quiet", "FETCH_HEAD"], folder)


def entries(packages: list[Package], folder: Path) -> list[Entry]:
    """What the unpacked files are, by the rules; files that no rule names are left out."""
    found = []
    for package in packages:
        root = folder / package.name / package.folder
        for path in sound_files(root):
            place = path.relative_to(root).as_posix()
            for rule in package.rules:
                match = rule.path.fullmatch(place)
                if match:
                    named = match.groupdict()
                    category = named.get("category") or rule.category
                    speaker = _speaker(package.name, category, named.get("speaker", ""))
                    origin = named.get("origin") or ""
                    found.append(Entry(path, rule.kind, speaker, category, package.source, "", package.licence, origin))
                    break
    return found


def _speaker(package: str, category: str, name: str) -> str:
    return "-".join(dict.fromkeys(filter(None, (package, category, name)))) if name else ""
