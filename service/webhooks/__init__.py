"""Webhooks: events told to the newsroom's own programs, signed, again and again until they were heard."""
