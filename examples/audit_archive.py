"""A batch job: python examples/audit_archive.py ARCHIVE.jsonl RESULTS.jsonl REPORT.html

One article per line: {"id", "text", "language"?, "title"?, "outlet"?, "published_at"?, "declared"?}. The id
of the audit is kept beside the results: a job that was stopped goes on with the same audit when it is run
again.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from service.client import Problem, Tamga, Unreachable


def main(archive: Path, results: Path, report: Path) -> int:
    service = os.environ.get("SERVICE", "http://127.0.0.1:8000")
    remembered = results.with_suffix(".audit")
    with Tamga(service, key=os.environ.get("ACCESS_KEY")) as tamga:
        if remembered.exists():
            audit_id = remembered.read_text(encoding="ascii")
        else:
            audit_id = tamga.start_audit(archive).id
            remembered.write_text(audit_id, encoding="ascii")
        for audit in tamga.watch_audit(audit_id, every=1.0):
            print(f"{audit.state}: {audit.items.done} of {audit.items.total}", file=sys.stderr)
        with results.open("w", encoding="utf-8") as out:
            for line in tamga.audit_results(audit_id):
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
        report.write_text(tamga.audit_report(audit_id), encoding="utf-8")
    remembered.unlink()
    return 0 if audit.state == "done" else 1


if __name__ == "__main__":
    try:
        sys.exit(main(*map(Path, sys.argv[1:4])))
    except TypeError:
        sys.exit(__doc__)
    except (Problem, Unreachable) as error:
        sys.exit(str(error))
