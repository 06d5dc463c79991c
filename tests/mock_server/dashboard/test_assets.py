"""What the pages load: from the fake alone, whole, and with its licence."""

from __future__ import annotations

import gzip
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import paylera_mock.dashboard
from helpers.dashboard import ROOT, Reader
from helpers.paths import ROOT as CHECKOUT

VENDORED = Path(paylera_mock.dashboard.__file__).parent / "assets" / "vendor"
TABLE: list[dict[str, Any]] = json.loads((VENDORED / "vendored.json").read_text("utf-8"))


def read_vendored(path: Path) -> bytes:
    """A file as its release has it."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def test_every_asset_of_a_page_is_there(reader: Reader) -> None:
    """With its type, and to be kept for good: its address has its digest."""
    assets = reader.read("requests").assets
    answers = [reader.client.get(asset) for asset in assets]
    assert [answer.status_code for answer in answers] == [200] * len(assets)
    assert {answer.content_type.partition(";")[0] for answer in answers} == {
        "image/svg+xml",
        "text/css",
        "text/javascript",
    }
    assert {answer.headers["Cache-Control"] for answer in answers} == {"public, max-age=31536000, immutable"}


def test_asset_is_not_sent_again(reader: Reader) -> None:
    """Where the browser has it."""
    asset = reader.read("requests").assets[0]
    tag = reader.client.get(asset).headers["ETag"]
    answer = reader.client.get(asset, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.data) == (304, b"")


def test_asset_without_its_digest_is_asked_for_again(reader: Reader) -> None:
    """It may change with the next release."""
    assert reader.client.get(f"{ROOT}/assets/dashboard.css").headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("name", ["swagger-ui.js", "swagger-ui.css"])
def test_large_asset_is_sent_compressed(reader: Reader, name: str) -> None:
    """As it lies in the package; whoever cannot read that gets it whole."""
    address = next(asset for asset in reader.read("reference").assets if f"/{name}?" in asset)
    packed, whole = (reader.client.get(address, headers={"Accept-Encoding": each}) for each in ("gzip, br", "identity"))
    assert (packed.headers["Content-Encoding"], "Content-Encoding" in whole.headers) == ("gzip", False)
    assert gzip.decompress(packed.data) == whole.data
    assert {answer.headers["Vary"] for answer in (packed, whole)} == {"Accept-Encoding"}


def test_reference_is_loaded_by_its_own_page_alone(reader: Reader) -> None:
    """It is as large as all else ten times over."""
    views = ("requests", "tokens", "findings", "namespaces")
    assert [asset for view in views for asset in reader.read(view).assets if "swagger" in asset] == []


@pytest.mark.parametrize("name", ["nothing.js", "../dashboard.py", "vendor/vendored.json", ""])
def test_no_other_file_is_served(reader: Reader, name: str) -> None:
    """Only what is listed."""
    assert reader.client.get(f"{ROOT}/assets/{name}").status_code == 404


def test_vendored_files_are_as_recorded() -> None:
    """Each is the file of the release that the table names, byte for byte, and no other lies there."""
    recorded = {file["name"]: file["sha256"] for row in TABLE for file in row["files"]}
    found = {path.name: sha256(read_vendored(path)).hexdigest() for path in VENDORED.iterdir()}
    assert {**recorded, "vendored.json": found["vendored.json"]} == found


def test_vendored_libraries_are_those_of_the_lock_file() -> None:
    """Who runs `npm run vendor` gets the same."""
    lock = json.loads((CHECKOUT / "mock_server" / "vendor" / "package-lock.json").read_text("utf-8"))
    taken = lock["packages"][""]["dependencies"]
    locked = {name: lock["packages"][f"node_modules/{name}"]["version"] for name in taken}
    assert {row["package"]: row["version"] for row in TABLE} == locked


def test_every_library_has_its_licence() -> None:
    """Its name in the table, and its text beside it."""
    assert all(row["licence"] and (VENDORED / f"{row['package']}.LICENSE.txt").is_file() for row in TABLE)
