"""How long it takes to sign a label and to verify it.

python -m bench.labels.signing [--labels 500]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from service.labels.issuing import document_of
from service.labels.opening import LabelOffice
from service.labels.request import LabelRequest, read_content
from service.labels.signing import check_signature, sign
from service.labels.verification import verify
from service.settings import load_settings
from service.store import open_store

TEXT = "Қала кітапханасы жаңа ғимаратқа көшті. Оқырмандарды бейсенбіден бастап қабылдайды. " * 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--labels", type=int, default=500)
    count = parser.parse_args().labels
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(home=Path(folder))
        store = open_store(settings.database)
        desk = LabelOffice(settings).desk(store)
        request = LabelRequest(
            text=TEXT, declared="assisted", human_review="reviewed", jurisdictions=["KZ", "HU"]
        )
        label = desk.issue(request)
        document = document_of(label)
        content = read_content(request, max_chars=1_000_000)
        times: dict[str, list[float]] = {
            "sign": [],
            "check": [],
            "sign + check": [],
            "verify with content": [],
        }
        for _ in range(count):
            began = time.perf_counter()
            jws, _kid = sign(document, desk.ring)
            signed = time.perf_counter()
            assert check_signature(jws, desk.ring).signature == "valid"
            checked = time.perf_counter()
            assert verify(desk, jws=label.jws, content=content).verdict == "valid"
            verified = time.perf_counter()
            times["sign"].append(signed - began)
            times["check"].append(checked - signed)
            times["sign + check"].append(checked - began)
            times["verify with content"].append(verified - checked)
        store.close()
    shown = {
        name: {
            "p50_ms": round(statistics.median(values) * 1_000, 3),
            "p99_ms": round(statistics.quantiles(values, n=100)[98] * 1_000, 3),
        }
        for name, values in times.items()
    }
    print(json.dumps({"labels": count, **shown}, indent=1))


if __name__ == "__main__":
    main()
