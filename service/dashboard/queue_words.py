"""The words for the codes of reviews, and the keys of reviewers. English here; templates translate."""

from __future__ import annotations

from typing import Final

from service.dashboard.i18n import marked

KINDS: Final = {
    "likely_ai": marked("Looks machine-written"),
    "declared_conflict": marked("Declared and detected differ"),
    "contradiction": marked("Contradicts a record"),
    "unknown_origin": marked("Origin not known"),
}
STATES: Final = {
    "undecided": marked("Undecided"),
    "open": marked("Free"),
    "locked": marked("Taken"),
    "decided": marked("Decided"),
}
STAGES: Final = {
    "first": marked("First opinion"),
    "second": marked("Second opinion"),
    "settle": marked("Two opinions differ"),
    "done": marked("Decided"),
}
SORTS: Final = {"risk": marked("Most urgent first"), "age": marked("Oldest first")}
EVENTS: Final = {
    "opened": marked("Opened"),
    "updated": marked("New evidence joined"),
    "locked": marked("Taken"),
    "unlocked": marked("Given back"),
    "decided": marked("Decided"),
    "disagreed": marked("Two opinions differ"),
    "settled": marked("Settled by an editor"),
    "undone": marked("Undone"),
    "second_opinion": marked("Another pair of eyes asked for"),
}
OUTCOMES_OF_REVIEW: Final = {
    "none": marked("No AI"),
    "assisted": marked("AI-assisted"),
    "generated": marked("AI-generated"),
    "mixed": marked("Mixed: human and AI"),
    "unknown": marked("Not known"),
    "dismissed": marked("No label needed"),
    "not_judged": marked("Origin not judged"),
}
# What a reviewer may choose for the label, in the order of the form.
CHOICES: Final = {
    "accept": marked("Accept the proposed label"),
    "generated": marked("AI-generated"),
    "assisted": marked("AI-assisted"),
    "mixed": marked("Mixed: human and AI"),
    "none": marked("No AI"),
    "dismiss": marked("No label needed"),
    "skip": marked("Do not judge the origin"),
}
VERDICTS_ON_MATCH: Final = {
    "": marked("Not judged"),
    "confirm": marked("Same statement, stance as shown"),
    "confirm supports": marked("Same statement: repeats it"),
    "confirm contradicts": marked("Same statement: contradicts it"),
    "confirm not_enough_info": marked("Related only"),
    "reject": marked("About something else"),
}
REVIEWED: Final = {
    "unknown": marked("Not known"),
    "reviewed": marked("Yes, a person checked it"),
    "none": marked("No"),
}
# Action -> what it does, and its key unless somebody chose another. All are single keys.
ACTIONS: Final = {
    "accept": (marked("Accept the proposed label"), "a"),
    "generated": (marked("AI-generated"), "1"),
    "assisted": (marked("AI-assisted"), "2"),
    "mixed": (marked("Mixed: human and AI"), "3"),
    "none": (marked("No AI"), "4"),
    "dismiss": (marked("No label needed"), "5"),
    "note": (marked("Write a note"), "n"),
    "decide": (marked("Decide"), "d"),
    "second": (marked("Ask another pair of eyes"), "s"),
    "undo": (marked("Undo"), "u"),
    "next": (marked("Next review"), "j"),
    "queue": (marked("Back to the queue"), "q"),
}
