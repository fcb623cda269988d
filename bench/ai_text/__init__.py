"""Figures of the origin detector on groups that no model was trained on."""
