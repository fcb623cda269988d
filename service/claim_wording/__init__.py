"""What is said about a match, in nine languages: stances, statuses, warnings, and the sentence that names the
source. A machine never says "true" or "false": it quotes who said what, when, and rated it how.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict, TypeAdapter

from service.analysis_models import Match


class ClaimWords(BaseModel):
    """All words of one language. `rated` and `unrated` hold the places {publisher}, {date} and {rating}."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    stance: dict[str, str]
    status: dict[str, str]
    rated: str
    unrated: str
    warnings: dict[str, str]


@cache
def all_claim_words() -> dict[str, ClaimWords]:
    """The words by language code."""
    content = resources.files("service.claim_wording").joinpath("words.json").read_bytes()
    return TypeAdapter(dict[str, ClaimWords]).validate_json(content)


def claim_words(language: str) -> ClaimWords:
    """The words of a language (of both scripts of Uzbek); English for one outside the nine."""
    words = all_claim_words()
    return words.get(language) or words.get(language.partition("-")[0], words["en"])


def source_sentence(match: Match, language: str) -> str:
    """Who has checked or reported the matching claim, when, and the rating in the publisher's own words."""
    words = claim_words(language)
    template = words.unrated if match.rating is None else words.rated
    if match.published_at is None:
        template = template.replace(" ({date})", "")
    values = {
        "publisher": match.publisher or match.url or match.record_id,
        "date": str(match.published_at),
        "rating": match.rating or "",
    }
    # Not str.format: what is filled in may hold braces itself.
    return re.sub(r"\{(\w+)\}", lambda place: values[place.group(1)], template)


def stance_word(match: Match, language: str) -> str:
    """The display word of a match's stance."""
    return claim_words(language).stance["abstained" if match.stance_abstained else match.stance]
