"""`tamga compare`: claims against given evidence, from JSON Lines to JSON Lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from service.commands.jsonl import InputFile, OutputFile, Progress, process
from service.commands.session import open_runtime

if TYPE_CHECKING:
    from service.commands.lines import PairLine

BATCH_SIZE = 64


def compare(source: InputFile, out: OutputFile = "-", progress: Progress = None) -> None:
    """Say for each pair whether the evidence supports or contradicts the claim."""
    from classifiers.stance import ClaimEvidence
    from classifiers.text import identify_language
    from service.commands.lines import PairLine
    from service.matching import base_language, compare_pairs

    with open_runtime(progress) as runtime:

        def answer(lines: Sequence[PairLine]) -> list[dict[str, Any]]:
            pairs = [
                ClaimEvidence(
                    line.claim,
                    line.evidence,
                    base_language(line.language) or identify_language(line.claim).code,
                    base_language(line.evidence_language) or identify_language(line.evidence).code,
                )
                for line in lines
            ]
            results = compare_pairs(pairs, encoder=runtime.encoder, stance=runtime.stance)
            return [
                {
                    "stance": result.stance,
                    "scores": {name: round(float(score), 6) for name, score in result.scores.items()},
                    "abstained": result.abstained,
                    "mismatches": [
                        {
                            "type": item.type,
                            "claim_value": item.claim_value,
                            "source_value": item.source_value,
                        }
                        for item in result.mismatches
                    ],
                }
                for result in results
            ]

        process(source, out, PairLine, answer, batch_size=BATCH_SIZE, label="compare", progress=progress)
