"""What the rules of a country ask of an article: required, not required, or undetermined, and why. Pure.

The rules are data, one file per country in `jurisdictions/`. A rule's `when` is a condition over facts in
three-valued logic (Kleene): a fact that nobody stated is unknown, and an answer that hangs on it is
undetermined. This is a reading aid for editors, never legal advice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from importlib import resources
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from service.labels.model import HumanReview, Involvement

Answer = Literal["required", "not_required", "undetermined"]
RuleStatus = Literal["in_force", "bill", "unconfirmed"]
Form = Literal["visible_notice", "machine_readable_mark"]
FactName = Literal[
    "ai_involved",
    "ai_made_or_altered",
    "imitates_person_or_unreal_event",
    "public_interest",
    "human_reviewed",
    "editorial_responsibility",
    "text",
    "image_audio_or_video",
]

DISCLAIMER: Final = "A reading aid for editors, not legal advice."


class ObligationFacts(BaseModel):
    """What is known about an article, for the rules. None: nobody said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    medium: Literal["text", "image", "audio", "video"] = "text"
    involvement: Involvement = "unknown"
    human_review: HumanReview = "unknown"
    imitates_person_or_unreal_event: bool | None = Field(
        None, description="It imitates a real person's looks, voice or conduct, or shows what did not happen."
    )
    public_interest: bool | None = Field(
        None, description="It informs the public on matters of public interest."
    )
    editorial_responsibility: bool | None = Field(
        None, description="A person or organisation holds editorial responsibility for it."
    )


class _Fact(BaseModel):
    model_config = ConfigDict(extra="forbid")
    fact: FactName


class _All(BaseModel):
    model_config = ConfigDict(extra="forbid")
    all: list[_Condition]


class _Any(BaseModel):
    model_config = ConfigDict(extra="forbid")
    any: list[_Condition]


class _Not(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    negated: _Condition = Field(alias="not")


_Condition = Annotated[_Fact | _All | _Any | _Not, Field(union_mode="left_to_right")]


class Rule(BaseModel):
    """One provision, as of `version`."""

    model_config = ConfigDict(extra="forbid")

    id: str
    version: str
    title: str
    source: str
    status: RuleStatus
    effective_from: date | None
    effective_to: date | None = None
    form: list[Form]
    wording: str | None = Field(None, description="Words that the rule itself prescribes.")
    note: str | None = None
    when: _Condition


class Jurisdiction(BaseModel):
    """The rules of a country, as checked on a day; after `review_after`, what was no law may be one."""

    model_config = ConfigDict(extra="forbid")

    jurisdiction: str = Field(pattern="^[A-Z]{2}$")
    name: str
    checked: date
    review_after: date
    note: str | None = None
    rules: list[Rule]


class Obligation(BaseModel):
    """The answer of one rule."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    jurisdiction: str
    rule: str | None = Field(description="Null where no rule is known.")
    rule_version: str
    required: Answer
    form: list[Form]
    wording: str | None = None
    why: str


@cache
def jurisdictions() -> dict[str, Jurisdiction]:
    """All countries with a file, by ISO 3166 code."""
    adapter = TypeAdapter(Jurisdiction)
    folder = resources.files("service.labels") / "jurisdictions"
    found = [
        adapter.validate_json(entry.read_bytes())
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".json")
    ]
    return {item.jurisdiction: item for item in found}


def evaluate(facts: ObligationFacts, codes: Sequence[str], on: date) -> list[Obligation]:
    """The answers of all rules of the countries `codes`, for publication on a day.

    Raises KeyError for a country without a file.
    """
    known = jurisdictions()
    answers: list[Obligation] = []
    for code in codes:
        country = known[code]
        if not country.rules:
            answers.append(_no_rule(country, on))
        answers.extend(_answer(country, rule, facts, on) for rule in country.rules)
    return answers


def _no_rule(country: Jurisdiction, on: date) -> Obligation:
    stale = on > country.review_after
    why = f"No rule on marking AI content was known on {country.checked}."
    if stale:
        why += f" That was to be checked again after {country.review_after}."
    return Obligation(
        jurisdiction=country.jurisdiction,
        rule=None,
        rule_version=country.checked.isoformat(),
        required="undetermined" if stale else "not_required",
        form=[],
        why=why,
    )


def _answer(country: Jurisdiction, rule: Rule, facts: ObligationFacts, on: date) -> Obligation:
    required, why = _weigh(country, rule, facts, on)
    return Obligation(
        jurisdiction=country.jurisdiction,
        rule=rule.id,
        rule_version=rule.version,
        required=required,
        form=rule.form if required != "not_required" else [],
        wording=rule.wording if required != "not_required" else None,
        why=why,
    )


def _weigh(country: Jurisdiction, rule: Rule, facts: ObligationFacts, on: date) -> tuple[Answer, str]:
    values = _values(facts)
    met = _holds(rule.when, values)
    named = f"{rule.title} ({rule.source})"
    if met is False:
        deciding = ", ".join(_deciding(rule.when, values))
        return "not_required", f"{named} does not apply: {deciding}."
    if rule.status == "bill" and on <= country.review_after:
        return "not_required", f"{named} was a bill on {country.checked}; a bill binds nobody."
    if rule.status != "in_force":
        return "undetermined", f"{named}: whether it is in force was not confirmed on {country.checked}."
    if rule.effective_from is not None and on < rule.effective_from:
        return "not_required", f"{named} applies from {rule.effective_from}."
    if rule.effective_to is not None and on > rule.effective_to:
        return "not_required", f"{named} applied until {rule.effective_to}."
    if met is None:
        missing = ", ".join(sorted(_unknown(rule.when, values)))
        return "undetermined", f"{named}: it depends on what is not known: {missing}."
    return "required", f"{named} applies: {', '.join(_deciding(rule.when, values))}."


def _values(facts: ObligationFacts) -> dict[FactName, bool | None]:
    involved = None if facts.involvement == "unknown" else facts.involvement != "none"
    return {
        "ai_involved": involved,
        # Whether help with a text alters it in the sense of a law is for a lawyer: unknown.
        "ai_made_or_altered": None if facts.involvement == "assisted" else involved,
        "imitates_person_or_unreal_event": facts.imitates_person_or_unreal_event,
        "public_interest": facts.public_interest,
        "human_reviewed": None if facts.human_review == "unknown" else facts.human_review == "reviewed",
        "editorial_responsibility": facts.editorial_responsibility,
        "text": facts.medium == "text",
        "image_audio_or_video": facts.medium != "text",
    }


def _holds(condition: Any, values: dict[FactName, bool | None]) -> bool | None:
    match condition:
        case _Fact(fact=fact):
            return values[fact]
        case _Not(negated=negated):
            inner = _holds(negated, values)
            return None if inner is None else not inner
        case _All(all=parts):
            found = [_holds(part, values) for part in parts]
            return False if False in found else None if None in found else True
        case _Any(any=parts):
            found = [_holds(part, values) for part in parts]
            return True if True in found else None if None in found else False
    raise AssertionError(condition)


def _facts_of(condition: Any) -> list[FactName]:
    match condition:
        case _Fact(fact=fact):
            return [fact]
        case _Not(negated=negated):
            return _facts_of(negated)
        case _All(all=parts) | _Any(any=parts):
            return [fact for part in parts for fact in _facts_of(part)]
    raise AssertionError(condition)


def _unknown(condition: Any, values: dict[FactName, bool | None]) -> set[FactName]:
    return {fact for fact in _facts_of(condition) if values[fact] is None}


def _deciding(condition: Any, values: dict[FactName, bool | None]) -> list[str]:
    """The known facts, in words."""
    shown = dict.fromkeys(fact for fact in _facts_of(condition) if values[fact] is not None)
    return [f"{fact.replace('_', ' ')}: {'yes' if values[fact] else 'no'}" for fact in shown]
