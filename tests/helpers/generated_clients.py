"""A served fake, its document in a file, and the clients that generators have made of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from helpers.mock_program import get
from helpers.npm import Npm
from paylera_mock.cli.subprocess_server import running_fake
from paylera_mock.server.ready import Ready

DOCUMENT: Final = "served.json"


class Clients:
    """Generates clients in a folder, checks their types, and has them go through a flow."""

    def __init__(self, npm: Npm, ready: Ready) -> None:
        self.npm = npm
        self.ready = ready
        (npm.folder / DOCUMENT).write_bytes(get(f"{ready.url}/openapi/v1.json").body)

    def openapi_python_client(self) -> tuple[str, ...]:
        """Generate with openapi-python-client, whose warnings say what it leaves out: the command of the flow."""
        self._do(
            *(sys.executable, "-m", "openapi_python_client", "generate", "--path", DOCUMENT, "--fail-on-warning"),
            *("--meta", "none", "--output-path", "paylera_client"),
        )
        flow = "flow_openapi_python_client.py"
        # The types of the generated code are its generator's business, those of its use are the document's.
        self._do(sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--config-file=", flow)
        return sys.executable, flow

    def openapi_typescript(self) -> tuple[str, ...]:
        """Generate types with openapi-typescript: the command of the flow."""
        self._do(self.npm.program("openapi-typescript"), DOCUMENT, "-o", "openapi_typescript/schema.d.ts")
        return self._built("flow_openapi_typescript")

    def hey_api(self) -> tuple[str, ...]:
        """Generate with hey-api: the command of the flow."""
        plugins = ("@hey-api/client-fetch", "@hey-api/sdk", "@hey-api/typescript")
        self._do(self.npm.program("openapi-ts"), "-i", DOCUMENT, "-o", "hey_api", "-p", *plugins)
        return self._built("flow_hey_api")

    def _built(self, flow: str) -> tuple[str, ...]:
        """Check the types of a flow and its client, and translate both to JavaScript."""
        self._do(self.npm.program("tsc"), "--project", f"tsconfig.{flow}.json")
        return "node", f"built/{flow}.js"

    def go_through(self, flow: tuple[str, ...], url: str | None = None) -> None:
        """Run a flow against the fake, or against what stands before it at `url`."""
        environment = {
            "PAYLERA_BASE_URL": url or self.ready.url,
            "PAYLERA_ADMIN_KEY": self.ready.tokens["adminaal2"],
            "PYTHONSAFEPATH": "",  # the generated package lies beside the flow
        }
        self._do(*flow, **environment)

    def _do(self, *command: str, **environment: str) -> None:
        done = self.npm.run(*command, **environment)
        assert done.returncode == 0, f"{command[:3]}\n{done.stdout}\n{done.stderr}"


GENERATORS: Final[dict[str, Callable[[Clients], tuple[str, ...]]]] = {
    "openapi-python-client": Clients.openapi_python_client,
    "openapi-typescript": Clients.openapi_typescript,
    "hey-api": Clients.hey_api,
}
"""By their names: each makes a client and gives the command of its flow."""


@contextmanager
def prepared_clients(folder: Path) -> Iterator[Clients]:
    """A fake of the reference's profile, and a folder to generate its clients in."""
    npm = Npm(folder)
    with running_fake(["--profile", "reference"]) as ready:
        yield Clients(npm, ready)


@contextmanager
def validating_proxy(clients: Clients, port: int) -> Iterator[str]:
    """The URL of Prism before the fake: it refuses requests and answers that are not as the document has them."""
    command = [clients.npm.program("prism"), "proxy", DOCUMENT, clients.ready.url, "--errors", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=clients.npm.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as prism:
        assert prism.stdout is not None
        try:
            # It ends by itself where it does not get ready, and so do these lines.
            assert any("is listening" in line for line in prism.stdout)
            yield f"http://127.0.0.1:{port}"
        finally:
            prism.terminate()
