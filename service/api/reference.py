"""The API reference at /docs, from vendored Swagger UI files: FastAPI's own page loads them from a public
CDN, and a newsroom's server may have no way out.

Vendored: swagger-ui-dist 5.35.0 (Apache-2.0, `static/swagger-ui.LICENSE.txt`): the bundle and the style
sheet.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.staticfiles import StaticFiles

from service.api.access import public

STATIC: Final = Path(__file__).parent / "static"
# The bundle sets style attributes and uses data: images; nothing may come from or go to another host.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
)
PAGE: Final = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Tamga API</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/docs/static/swagger-ui.css">
</head>
<body>
  <div id="swagger-ui" data-schema="/openapi.json"></div>
  <noscript>The schema itself: <a href="/openapi.json">/openapi.json</a></noscript>
  <script src="/docs/static/swagger-ui-bundle.js"></script>
  <script src="/docs/static/docs.js"></script>
</body>
</html>
"""

router = APIRouter(include_in_schema=False)


@router.get("/openapi.json", dependencies=[public])
async def openapi(request: Request) -> JSONResponse:
    return JSONResponse(request.app.openapi())


@router.get("/docs", dependencies=[public])
async def reference() -> HTMLResponse:
    return HTMLResponse(PAGE, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})


def install(app: FastAPI) -> None:
    """Serve the reference page and its files."""
    app.mount("/docs/static", StaticFiles(directory=STATIC), name="docs-static")
    app.include_router(router)
