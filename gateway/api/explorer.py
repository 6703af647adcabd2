"""The page at `/`: GraphiQL as explorer/build.py made it, or a plain form of our own without it.

Nothing here ever names another host, and the Content-Security-Policy keeps browsers to that.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

BUILT = Path(__file__).resolve().parents[1] / "explorer"
PLAIN = Path(__file__).resolve().parent / "plain"

_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; {more}"
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Monaco, GraphiQL's editor, sets styles on elements, carries its icons as data and starts workers.
GRAPHIQL_POLICY = _POLICY.format(
    more="style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "worker-src 'self' blob:; "
)
PLAIN_POLICY = _POLICY.format(more="style-src 'self'; img-src data:; ")

# Written out, because what Python's mimetypes says depends on the machine.
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
}
_HARMLESS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_ASK_AGAIN = {"Cache-Control": "no-cache"}
# Vite puts a hash of the content into every name below assets/.
_KEEP = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


def explorer_routes(built: Path = BUILT) -> list[BaseRoute]:
    """Routes of the page at `/` and its files: GraphiQL's when `built` holds it, else the plain form's.

    Looked at once, when the app is made: a build that comes later shows after a restart.
    """
    if not (built / "index.html").is_file():
        return [
            _page("/", PLAIN / "index.html", PLAIN_POLICY),
            _page("/plain/page.js", PLAIN / "page.js"),
            _page("/plain/page.css", PLAIN / "page.css"),
        ]
    compressed = {path.name.removesuffix(".gz"): path for path in built.glob("assets/*.gz")}

    async def asset(request: Request) -> Response:
        return await _answer_compressed(request, compressed)

    return [
        _page("/", built / "index.html", GRAPHIQL_POLICY),
        _page("/icon.svg", built / "icon.svg"),
        Route("/assets/{name}", asset),
    ]


def _page(address: str, file: Path, policy: str | None = None) -> Route:
    headers = _HARMLESS | _ASK_AGAIN
    if policy is not None:
        headers["Content-Security-Policy"] = policy

    async def answer(_: Request) -> FileResponse:
        return FileResponse(file, media_type=_MEDIA_TYPES[file.suffix], headers=headers)

    return Route(address, answer)


async def _answer_compressed(request: Request, compressed: dict[str, Path]) -> Response:
    """Answer with the gzipped file as it lies there, or unpacked for a client that cannot read it."""
    file = compressed.get(request.path_params["name"])
    if file is None:
        raise HTTPException(404)
    media_type = _MEDIA_TYPES.get(file.with_suffix("").suffix, "application/octet-stream")
    headers = _HARMLESS | _KEEP
    if _takes_gzip(request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "gzip"
        return FileResponse(file, media_type=media_type, headers=headers)
    content = await run_in_threadpool(lambda: gzip.decompress(file.read_bytes()))
    return Response(content, media_type=media_type, headers=headers)


def _takes_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header allows gzip: named (or `*`) without the weight 0."""
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        coding, _, weight = part.partition(";")
        try:
            weights[coding.strip()] = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            weights[coding.strip()] = 0
    return weights.get("gzip", weights.get("*", 0)) > 0
