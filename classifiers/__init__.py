"""Text in, evidence out: text tools, origin detection, claims, stance, provenance and the model runtime.

The lowest floor: it knows neither HTTP nor a database, and imports nothing from the floors above.
"""
