"""Free: a corpus for whoever has none, from the recordings inside Debian packages that free.toml lists."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sordino.train.corpus import CorpusError

from .layouts import Entry, sound_files

LIST = Path(__file__).with_name("free.toml")
TOOLS = ("apt-get", "dpkg-deb")
Run = Callable[[list[str], Path], None]


@dataclass(frozen=True)
class Rule:
    """Which files of a package are what."""

    kind: str
    path: re.Pattern[str]
    category: str


@dataclass(frozen=True)
class Package:
    """A Debian package and what its recordings are."""

    name: str
    folder: str
    rules: tuple[Rule, ...]


def read_list(path: Path = LIST) -> list[Package]:
    """The packages of a list such as free.toml."""
    return [
        Package(
            found["name"],
            found["folder"],
            tuple(Rule(r["kind"], re.compile(r["path"]), r.get("category", "")) for r in found["rules"]),
        )
        for found in tomllib.loads(path.read_text())["package"]
    ]


def _run(words: list[str], folder: Path) -> None:
    done = subprocess.run(words, cwd=folder, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise CorpusError(f"{' '.join(words)}: {(done.stderr.strip() or 'no reason given').splitlines()[-1]}")


def fetch(packages: list[Package], folder: Path, say: Callable[[str], None], run: Run | None = None) -> list[Package]:
    """Download packages and unpack them, without installing anything.

    packages  wanted
    folder    gets a folder per package; those that are there are kept
    say       gets a line per package
    run       carries out a command in a folder
    returns   the packages that could be had
    raises    CorpusError where there is no apt, or none could be had
    """
    absent = [tool for tool in TOOLS if not shutil.which(tool)]
    if absent and run is None:
        raise CorpusError(f"a free corpus comes from Debian packages; not found: {', '.join(absent)}")
    found = []
    for package in packages:
        target = folder / package.name
        if not target.is_dir():
            part = folder / f"{package.name}.part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            try:
                _fetch_one(package, part, run or _run)
            except CorpusError as error:
                say(f"{package.name}: left out: {error}")
                shutil.rmtree(part, ignore_errors=True)
                continue
            part.rename(target)
        found.append(package)
        say(f"{package.name}: {len(sound_files(target / package.folder))} sound files")
    if not found:
        raise CorpusError("none of the packages could be had; is there a network, and has `apt-get update` been run?")
    return found


def _fetch_one(package: Package, folder: Path, run: Run) -> None:
    run(["apt-get", "download", package.name], folder)
    archives = sorted(folder.glob("*.deb"))
    if not archives:
        raise CorpusError("apt-get gave no file")
    run(["dpkg-deb", "-x", archives[0].name, "."], folder)
    archives[0].unlink()


def entries(packages: list[Package], folder: Path) -> list[Entry]:
    """What the unpacked files are, by the rules; files that no rule names are left out."""
    found = []
    for package in packages:
        root = folder / package.name / package.folder
        copyright_file = f"see {Path('/usr/share/doc') / package.name / 'copyright'}"
        for path in sound_files(root):
            place = path.relative_to(root).as_posix()
            for rule in package.rules:
                match = rule.path.fullmatch(place)
                if match:
                    named = match.groupdict()
                    category = named.get("category") or rule.category
                    speaker = _speaker(package.name, category, named.get("speaker", ""))
                    source = f"deb:{package.name}"
                    found.append(Entry(path, rule.kind, speaker, category, source, licence=copyright_file))
                    break
    return found


def _speaker(package: str, category: str, name: str) -> str:
    return "-".join(dict.fromkeys(filter(None, (package, category, name)))) if name else ""
