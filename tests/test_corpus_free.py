"""Free sounds: packages and repositories are fetched once, and every file of them gets its label."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from corpus_support import touch
from sordino.data.free import entries, fetch, read_list
from sordino.data.manifest import KINDS, CorpusError
from sordino.data.splits import draw_splits

INSIDE = {
    "klettres-data": ["it/alpha/a.ogg", "it/readme.txt"],
    "hedgewars-data": [
        "Sounds/voices/Pirate/hello.ogg",
        "Sounds/denied.ogg",
        "Sounds/splash.ogg",
        "Music/city.ogg",
    ],
    "tuxpaint-stamps-default": ["animals/birds/owl_desc_el.ogg", "animals/birds/owl.ogg", "food/pie.ogg"],
}
"""By package: some of its files."""


def test_free_packages_are_unpacked_once_and_labelled(tmp_path: Path):
    listed = {package.name: package for package in read_list()}
    assert all(rule.kind in KINDS for package in listed.values() for rule in package.rules)
    commands, said = [], []

    def run(words: list[str], folder: Path) -> None:
        commands.append(words[:2])
        name = folder.name.removesuffix(".part")
        if name not in INSIDE:
            raise CorpusError("no such package")
        if words[0] == "apt-get":
            (folder / "x.deb").touch()
        else:
            touch(folder / listed[name].folder, *INSIDE[name])

    wanted = [listed[name] for name in (*INSIDE, "minetest-data")]
    had = fetch(wanted, tmp_path, said.append, run)
    assert [package.name for package in had] == list(INSIDE) and said[-1] == "minetest-data: left out: no such package"
    found = {entry.path.name: (entry.kind, entry.speaker, entry.category) for entry in entries(had, tmp_path)}
    assert found == {
        "a.ogg": ("speech", "klettres-data-it", "it"),
        "hello.ogg": ("speech", "hedgewars-data-Pirate", ""),
        "splash.ogg": ("noise", "", "effects"),
        "city.ogg": ("music", "", ""),
        "owl_desc_el.ogg": ("speech", "tuxpaint-stamps-default-el", "el"),
        "owl.ogg": ("noise", "", "animals"),
    }
    commands.clear()
    fetch(had, tmp_path, said.append, run)
    assert not commands
    with pytest.raises(CorpusError, match="none of the packages and repositories could be had"):
        fetch(wanted[-1:], tmp_path, said.append, run)


def test_repositories_give_only_the_files_wanted(tmp_path: Path):
    made = tmp_path / "made"
    names = ("1-100-A-0.wav", "1-100-B-0.wav", "2-7-A-12.wav", "2-8-A-20.wav", "notes.txt")
    touch(made, *(f"audio/{name}" for name in names))
    for name in names:
        (made / "audio" / name).write_text(name)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "sounds"], ["config", "uploadpack.allowFilter", "1"]):
        subprocess.run([*git, *words], cwd=made, check=True)
    listed = next(package for package in read_list() if package.name == "esc-10")
    said: list[str] = []
    had = fetch([replace(listed, repository=made.as_uri())], tmp_path / "got", said.append)
    assert said == ["esc-10: 3 sound files"]
    found = entries(had, tmp_path / "got")
    assert [(e.path.name, e.category, e.origin) for e in found] == [
        ("1-100-A-0.wav", "animals", "1-100"),
        ("1-100-B-0.wav", "animals", "1-100"),
        ("2-7-A-12.wav", "fire", "2-7"),
    ]
    assert {e.licence for e in found} == {listed.licence}
    several = [replace(e, origin=f"{i}") for i in range(30) for e in found[:2]]
    drawn = draw_splits(several, [5.0] * len(several), 0.2, 0.2, 1)
    assert drawn[::2] == drawn[1::2] and set(drawn) == {"train", "valid", "test"}, "an origin is in one split"
    with pytest.raises(CorpusError, match="could be had"):
        fetch([replace(listed, repository=(tmp_path / "none").as_uri())], tmp_path / "other", said.append)
