"""The OpenAPI schema as a file: `python -m service.api.openapi docs/openapi.json` writes it, a test compares
it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from service.app import create_app
from service.settings import Settings


def schema() -> dict[str, Any]:
    """The schema of the service, without the version of the installation it runs in."""
    described = create_app(Settings()).openapi()
    described["info"]["version"] = "1"
    return described


def main() -> None:
    Path(sys.argv[1]).write_text(json.dumps(schema(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
