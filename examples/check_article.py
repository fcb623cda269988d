"""Check one article: python examples/check_article.py ARTICLE.txt [--language kk]"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from service.client import Problem, Tamga, Unreachable


def main() -> int:
    parser = argparse.ArgumentParser(description="Check one article.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--language", help="language tag, if known")
    given = parser.parse_args()
    text = given.file.read_text(encoding="utf-8")
    service = os.environ.get("SERVICE", "http://127.0.0.1:8000")
    try:
        with Tamga(service, key=os.environ.get("ACCESS_KEY")) as tamga:
            if given.language:
                analysis = tamga.check_article(text=text, language=given.language)
            else:
                analysis = tamga.check_article(text=text)
    except (Problem, Unreachable) as error:
        print(error, file=sys.stderr)
        return 1
    if analysis.origin is not None:
        # Never more than a hint: only a declaration, a signature or a person confirms.
        reason = f" ({analysis.origin.abstain_reason})" if analysis.origin.abstain_reason else ""
        print(f"origin: {analysis.origin.verdict}{reason}")
    for claim in analysis.claims:
        print(f"claim {claim.start}-{claim.end}, {claim.status}: {claim.text}")
        for match in claim.matches[:1] if claim.status == "matched" else []:
            print(f"  {match.stance}, probability {match.probability:.2f}: {match.publisher}, {match.url}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
