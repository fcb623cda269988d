"""Reviews: what a person has to look at, and what persons decided.

`model` has the words, `cases` says which analyses and labels need a person, `desk` is where reviewers work,
`agreement` measures how far they agree, `export` hands decisions on for retraining.
"""
