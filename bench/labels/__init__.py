"""Benches of labels: how long signing takes, and how well the newsroom's own watermarks are told apart."""
