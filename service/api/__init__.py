"""The HTTP face: one router per resource, problem+json for every error, an API reference that needs no
network.
"""
