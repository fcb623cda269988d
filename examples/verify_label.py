"""Is this page labelled, and is the label good? python examples/verify_label.py PAGE.html

Exit status 0 for a valid label, 1 otherwise. Anyone may ask: it needs no access key.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from service.client import Problem, Tamga, Unreachable


def main(page: Path) -> int:
    with Tamga(os.environ.get("SERVICE", "http://127.0.0.1:8000")) as tamga:
        # Byte for byte as it was published: the label is bound to them.
        found = tamga.verify(html=page.read_bytes().decode("utf-8"))
    print(f"{found.verdict}: {found.why}")
    if found.label_id is not None:
        print(f"label {found.label_id}, {found.status}; content {found.content_match}; by {found.issuer}")
    return 0 if found.verdict == "valid" else 1


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1])))
    except IndexError:
        sys.exit(__doc__)
    except (Problem, Unreachable) as error:
        sys.exit(str(error))
