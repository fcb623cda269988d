"""A label in the forms that others read. Each is a plain mapping of the axes (`marks`).

A label that is not confirmed, or not in force, gives no marks and so nothing machine-readable at all.
"""
