"""All checks of one home, in the order in which one depends on the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from service.doctor import data, installation, signing
from service.doctor.findings import Finding, failed, ok
from service.settings import Settings, SettingsError, load_settings

Check = Callable[[Settings], Iterable[Finding]]

_CHECKS: Final[dict[str, Check]] = {
    "folders": installation.folders,
    "disk": installation.disk,
    "parts": installation.parts,
    "models": installation.models,
    "keys": signing.keys,
    "certificates": signing.certificates,
    "database": data.examine_database,
}


def examine() -> Iterator[Finding]:
    """Look at the home that the settings name, and at this installation. Yields findings as they are made;
    a check that breaks is a finding itself.
    """
    try:
        settings = load_settings()
    except SettingsError as error:
        for line in error.detail.splitlines():
            yield failed("settings", line, "correct the variable; docs/settings.md lists all of them")
        return
    yield ok("settings", f"home {settings.home.resolve()}")
    for name, check in _CHECKS.items():
        try:
            yield from check(settings)
        except Exception as error:
            reason = str(error).splitlines()[0] if str(error) else ""
            yield failed(
                name, f"cannot be checked: {type(error).__name__}: {reason}", "see what the message names"
            )
