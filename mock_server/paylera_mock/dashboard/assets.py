"""What pages load: the style, the scripts. Each has its digest in its address, so that browsers may keep it."""

from __future__ import annotations

import gzip
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from typing import Final, NamedTuple

from paylera_mock.core.messages import Answer
from paylera_mock.dashboard.messages import ROOT, PageRequest

_PACKAGE: Final = "paylera_mock.dashboard"
_SHARED: Final = "base.css"
"""The look that all pages of the project share; those of the dashboard have more to it."""

_TYPES: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}

ASSETS: Final = {
    "dashboard.css": (_SHARED, "dashboard.css"),
    "dashboard.js": ("dashboard.js",),
    "htmx.js": ("vendor/htmx.min.js", "vendor/hx-sse.min.js"),
    "icon.svg": ("icon.svg",),
    "reference.css": ("reference.css",),
    "reference.js": ("reference.js",),
    "swagger-ui.css": ("vendor/swagger-ui.css.gz",),
    "swagger-ui.js": ("vendor/swagger-ui-bundle.js.gz",),
}
"""Each asset by its name, and the files of which it consists; or the one that is compressed."""


class Asset(NamedTuple):
    """A file that a page loads, and the digest of what stands there, which may be compressed by gzip."""

    body: bytes
    digest: str
    is_compressed: bool


@cache
def read_asset(name: str) -> Asset:
    """An asset by its name. Raises `KeyError` where there is none."""
    folder = files(_PACKAGE) / "assets"
    places = [(files("paylera_fixtures") if path == _SHARED else folder) / path for path in ASSETS[name]]
    body = b"\n".join(place.read_bytes() for place in places)
    return Asset(body, sha256(body).hexdigest()[:16], ASSETS[name][0].endswith(".gz"))


def asset_url(name: str) -> str:
    """The address of an asset, which changes with it."""
    return f"{ROOT}/assets/{name}?v={read_asset(name).digest}"


def answer_asset(name: str, request: PageRequest) -> Answer | None:
    """The answer to a request for an asset; `None` where there is none of the name."""
    if name not in ASSETS:
        return None
    asset = read_asset(name)
    tag = f'"{asset.digest}"'
    is_named = request.query.get("v") == asset.digest
    is_accepted = "gzip" in request.headers.get("Accept-Encoding", "")
    headers: tuple[tuple[str, str], ...] = (
        ("Content-Type", _TYPES[name.rpartition(".")[2]]),
        ("ETag", tag),
        *((("Vary", "Accept-Encoding"),) if asset.is_compressed else ()),
        ("Cache-Control", "public, max-age=31536000, immutable" if is_named else "no-cache"),
    )
    if request.headers.get("If-None-Match") == tag:
        return Answer(HTTPStatus.NOT_MODIFIED, headers, b"")
    if not asset.is_compressed:
        return Answer(HTTPStatus.OK, headers, asset.body)
    headers += (("Content-Encoding", "gzip"),) if is_accepted else ()
    return Answer(HTTPStatus.OK, headers, asset.body if is_accepted else gzip.decompress(asset.body))
