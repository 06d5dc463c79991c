"""TLS for a fake: a certificate authority of the user's own, and the certificate that one run serves with.

The authority is made once and kept, so that a client need be told to trust it only once. Its key is readable by the
user alone: with it certificates could be issued for any host, and who trusts the authority would accept them.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from paylera_fixtures.hosts import LOOPBACK_NAMES
from paylera_fixtures.vocabulary import PRODUCTION_HOSTS

if TYPE_CHECKING:  # loaded only where a certificate is made
    from trustme import CA

_FOLDER: Final = "certificate-authority"
_CERTIFICATE: Final = "ca.pem"
_KEY: Final = "ca-key.pem"
# Some systems refuse a certificate that is valid for longer.
_VALID_FOR: Final = timedelta(days=397)
# For clients whose clock is a little behind, or in another container.
_VALID_BEFORE: Final = timedelta(days=1)


class TlsError(Exception):
    """There can be no TLS; the text is one line that names the fix."""


@dataclass(frozen=True)
class Identity:
    """The files that a server needs to serve TLS, and its clients to trust it; all are PEM."""

    certificate: Path
    key: Path
    ca_file: Path


def default_folder() -> Path:
    """Where this user's authority is kept by default."""
    return Path(click.get_app_dir("paylera-mock"))


def find_authority(folder: Path) -> Path | None:
    """The certificate of the authority that is kept in a folder, `None` where there is none."""
    ca_file = folder / _FOLDER / _CERTIFICATE
    return ca_file if ca_file.is_file() else None


def authority_file(folder: Path) -> Path:
    """The certificate of the authority that is kept in a folder, for clients to trust; made now if there is none.

    Raises `TlsError` where it cannot be made.
    """
    if ca_file := find_authority(folder):
        return ca_file
    home = folder / _FOLDER
    try:
        _make_authority(home)
    except OSError as error:
        raise TlsError(f"{home} cannot be made: {error.strerror}: choose another with --tls-dir") from error
    return home / _CERTIFICATE


@contextlib.contextmanager
def issue_identity(folder: Path, host: str) -> Iterator[Identity]:
    """Issue a certificate for this machine's own names, production's and `host`; its files are removed at the end.

    Raises `TlsError` where the authority cannot be made or read.
    """
    ca_file = authority_file(folder)
    authority = _read_authority(ca_file)
    now = datetime.now(UTC)
    leaf = authority.issue_cert(*_names(host), not_before=now - _VALID_BEFORE, not_after=now + _VALID_FOR)
    with tempfile.TemporaryDirectory(prefix="paylera-mock-tls-") as directory:
        identity = Identity(Path(directory, "cert.pem"), Path(directory, "key.pem"), ca_file)
        identity.certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        _write_secret(identity.key, leaf.private_key_pem.bytes())
        yield identity


def _names(host: str) -> list[str]:
    names = [*LOOPBACK_NAMES, *PRODUCTION_HOSTS]
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_unspecified:
            return names
    return list(dict.fromkeys([*names, host]))


def _make_authority(home: Path) -> None:
    """Make an authority in a folder of its own, which appears whole or not at all: other processes may do the same."""
    authority = _import_ca()(organization_name="paylera-mock")
    home.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f"{home.name}-", dir=home.parent))
    _write_secret(draft / _KEY, authority.private_key_pem.bytes())
    (draft / _CERTIFICATE).write_bytes(authority.cert_pem.bytes())
    try:
        draft.rename(home)
    except OSError:
        shutil.rmtree(draft)
        if not (home / _CERTIFICATE).is_file():
            raise


def _read_authority(ca_file: Path) -> CA:
    try:
        return _import_ca().from_pem(ca_file.read_bytes(), ca_file.with_name(_KEY).read_bytes())
    except (OSError, ValueError) as error:
        raise TlsError(
            f"{ca_file.parent} holds no authority that can be read: remove it, and it is made anew"
        ) from error


def _write_secret(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _import_ca() -> type[CA]:
    """The class of authorities: it comes with an extra, and is slow to import."""
    try:
        from trustme import CA  # noqa: PLC0415
    except ImportError as error:
        raise TlsError("TLS needs the extra `tls`: pip install 'paylera-testkit[tls]'") from error
    return CA
