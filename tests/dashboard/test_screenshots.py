"""docs/screenshots holds a picture of every page, and of nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench import screenshots
from service.api.access import guarded_routes
from service.dashboard.pages import HOME

PICTURES = Path(__file__).parents[2] / "docs" / "screenshots"
# They only lead on to a page.
ONWARD = {HOME, HOME + "/", HOME + "/settings"}


def page_routes(site: Any) -> list[Any]:
    found = guarded_routes(site.browser().app.routes)
    pages = [route for route in found if route.path.startswith(HOME) and not route.mounted]
    return [route for route in pages if "GET" in route.methods and route.path not in ONWARD]


def test_the_bench_takes_a_picture_of_every_page(site: Any) -> None:
    shown = [urlsplit(path).path.replace("{", "").replace("}", "") for path in screenshots.paths()]
    routes = page_routes(site)
    assert len(routes) >= 20
    assert [route.path for route in routes if not any(map(route.pattern.match, shown))] == []


def test_every_picture_is_there_and_small() -> None:
    there = {path.stem for path in PICTURES.glob("*.png")}
    assert there == screenshots.names()
    assert all(path.stat().st_size <= screenshots.MOST_BYTES for path in PICTURES.glob("*.png"))
