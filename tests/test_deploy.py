"""The files under deploy/ are well-formed, and name settings and options that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli import app
from service.settings import PREFIX, Settings

DEPLOY = Path(__file__).parents[1] / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_settings_that_are_named_exist(file: Path) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    named = set(re.findall(r"\bTAMGA_[A-Z_]*[A-Z]\b", file.read_text(encoding="utf-8")))
    assert named <= known


def test_options_of_the_container_exist() -> None:
    command = re.search(r"command: \[(.+)\]", (DEPLOY / "compose.yml").read_text(encoding="utf-8"))
    assert command is not None
    name, *options = command[1].split(", ")
    described = CliRunner().invoke(app, [name, "--help"]).output
    for option in options:
        assert not option.startswith("--") or option in described


def test_compose_file_fits_its_specification() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "check_jsonschema",
            "--builtin-schema",
            "vendor.compose-spec",
            DEPLOY / "compose.yml",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_unit_is_sound_and_shut_off(tmp_path: Path) -> None:
    unit = (DEPLOY / "tamga.service").read_text(encoding="utf-8")
    assert "ExecStart=/opt/tamga/bin/tamga serve" in unit
    # Neither the program nor the user is on the machine that tests.
    unit = unit.replace("ExecStart=/opt/tamga/bin/tamga", "ExecStart=/bin/true")
    unit = re.sub(r"^(User|Group)=tamga\n", "", unit, flags=re.MULTILINE)
    here = tmp_path / "tamga.service"
    here.write_text(unit, encoding="utf-8")
    verified = subprocess.run(
        ["systemd-analyze", "verify", here], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stderr) == (0, "")
    # Everything on a scale of 10, where 0 may do nothing at all; without User= it is judged as root.
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=35", here],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout[-300:]
