"""docs/settings.md names every setting, its default and its meaning, and nothing else."""

from __future__ import annotations

from pathlib import Path

from service.settings import PREFIX, Settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def rows() -> list[str]:
    return [
        f"| `{PREFIX}{name.upper()}` | {shown(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]


def shown(default: object) -> str:
    return "–" if default is None else f"`{default}`"


def test_every_setting_stands_on_its_page():
    page = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{PREFIX}")]
    assert page == rows()
