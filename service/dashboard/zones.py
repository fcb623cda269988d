"""Time zones: which there are, which one a page shows its times in, and how it is named beside them."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

COOKIE: Final = "tamga_zone"
PREFERENCE: Final = "time_zone"
# The regions of the tz database that hold places; names outside of them are older names of the same zones.
_REGIONS: Final = (
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian",
    "Pacific",
)  # fmt: skip


@cache
def zones() -> frozenset[str]:
    """All names of zones, older ones too."""
    return frozenset(available_timezones())


@cache
def offered() -> tuple[str, ...]:
    """The names to choose from, in order."""
    return ("UTC", *sorted(name for name in zones() if name.partition("/")[0] in _REGIONS))


def zone_of(name: str | None, otherwise: str) -> ZoneInfo:
    """The zone with this name, which may come from a cookie and be anything; else the zone `otherwise`."""
    return ZoneInfo(name if name in zones() else otherwise)


def offset(moment: datetime) -> str:
    """How far a moment with a zone is from UTC: UTC, UTC+5, UTC+5:30, UTC−3."""
    minutes = round((moment.utcoffset() or moment - moment).total_seconds() / 60)
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    sign = "+" if minutes > 0 else "\u2212"
    return f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "")
