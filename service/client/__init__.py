"""A client of the HTTP API: typed by the API's own models, patient with a service that is busy.

    from service.client import Tamga

    with Tamga("https://tamga.example.org", key="tg_…") as tamga:
        analysis = tamga.check_article(text=text, language="kk")

Needs the extra `client` (httpx2).
"""

from service.client.client import Tamga
from service.client.errors import Problem, TamgaClientError, Unreachable

__all__ = ["Problem", "Tamga", "TamgaClientError", "Unreachable"]
