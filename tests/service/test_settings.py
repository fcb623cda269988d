"""Settings come from TAMGA_* variables, and a wrong one is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from service.settings import Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith("TAMGA_"):
            monkeypatch.delenv(name)


def test_defaults() -> None:
    settings = load_settings()
    assert settings.home == Path("var")
    assert settings.database == "sqlite:///var/tamga.db"
    assert (settings.host, settings.port, settings.target_fpr) == ("127.0.0.1", 8000, 0.01)


def test_environment_and_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAMGA_HOME", "/data/news room")
    monkeypatch.setenv("TAMGA_PORT", "9000")
    monkeypatch.setenv("TAMGA_LOG_LEVEL", "WARNING")
    monkeypatch.setenv("TAMGA_ENCODER", "")
    settings = load_settings(port=9100)
    assert settings.database == "sqlite:////data/news room/tamga.db"
    assert (settings.port, settings.log_level, settings.encoder) == (9100, "warning", None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TAMGA_PORT", "80 80"),
        ("TAMGA_PORT", "70000"),
        ("TAMGA_BACKEND", "cuda"),
        ("TAMGA_TARGET_FPR", "0"),
        ("TAMGA_TARGET_FPR", "1.5"),
        ("TAMGA_MAX_TEXT_CHARS", "many"),
        ("TAMGA_PROT", "8000"),
    ],
)
def test_wrong_settings_are_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as caught:
        load_settings()
    assert "\n" not in str(caught.value)


def test_all_problems_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAMGA_PORT", "x")
    monkeypatch.setenv("TAMGA_BACKEND", "y")
    monkeypatch.setenv("TAMGA_NONSENSE", "z")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert len(str(caught.value).splitlines()) == 3


def test_frozen() -> None:
    with pytest.raises(ValidationError):
        load_settings().port = 1  # type: ignore[misc]


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
