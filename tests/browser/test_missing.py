"""A browser that is not there is a skip that says what to install, and a failure where CI is set."""

import pytest

import support
from browser import browsers


@pytest.mark.parametrize("name", ["chromium", "firefox", "webkit", "audio sink"])
def test_what_to_install_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsers.Path, "exists", lambda _: False)
    assert "apt-get install" in browsers.missing(name)


def test_nothing_may_be_missing_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(support, "IN_CI", True)
    with pytest.raises(pytest.fail.Exception, match="no such browser"):
        support.unavailable("no such browser")
    monkeypatch.setattr(support, "IN_CI", False)
    with pytest.raises(pytest.skip.Exception, match="no such browser"):
        support.unavailable("no such browser")
