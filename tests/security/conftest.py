"""A folder in which every command has been run with canaries for tokens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from helpers.leaks import GHOST, ODD, PASSPHRASE, Scene, act, configuration
from paylera_mock.cli.subprocess_server import running_fake


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Everything, played once."""
    with running_fake() as ready:
        made = Scene(tmp_path_factory.mktemp("leaks"), ready.url, str(ready.control_url))
        made.mint("EVERYTHING", audience="service", scopes=["*"])
        made.mint("SPARE", audience="service", scopes=["customers:read"])
        made.mint("OPERATOR", audience="admin", scopes=["*"], aal=2)
        made.secrets["GHOST"] = GHOST
        (made.folder / "odd.txt").write_text(ODD, "utf-8")
        (made.folder / "paylera-conformance.toml").write_text(configuration(made), "utf-8")
        key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (made.folder / "key.pem").write_bytes(key)
        act(made)
        made.secrets |= {"ODD": ODD, "PASSPHRASE": PASSPHRASE, "KEY": key.decode().splitlines()[1]}
        yield made
