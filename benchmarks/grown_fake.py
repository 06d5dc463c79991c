"""Serves a fake with further operations, which its document names: `python benchmarks/grown_fake.py NUMBER`.

Each is the list of customers under another path, so that the suite looks at it as at an operation of the target's own.
"""

from __future__ import annotations

import re
import sys
from functools import partial
from typing import Any, Final

from paylera_fixtures.api import openapi
from paylera_mock.cli.main import main as run_program
from paylera_mock.server import loop
from paylera_mock.server.answering import Answering

LIST: Final = "/v1/customers"
COPY: Final = re.compile(r"/v1/copies/\d+/customers")


class GrownAnswering(Answering):
    """What answers under the path of a copy as under that of the list."""

    def expect(self, environ: dict[str, Any]) -> tuple[bool, int]:
        """Take the path of the list for that of a copy, before anything looks at it."""
        environ["PATH_INFO"] = COPY.sub(LIST, environ["PATH_INFO"])
        return super().expect(environ)


def build_grown(build: Any, number: int, *given: Any, **named: Any) -> dict[str, Any]:
    """The document of the fake, with so many copies of the list."""
    document: dict[str, Any] = build(*given, **named)
    listing = document["paths"][LIST]["get"]
    for copy in range(number):
        operation = listing | {"operationId": f"{listing['operationId']}_{copy}"}
        document["paths"][f"/v1/copies/{copy}/customers"] = {"get": operation}
    return document


def main() -> None:
    """Serve until a signal ends it; its ready line is the fake's."""
    openapi.build = partial(build_grown, openapi.build, int(sys.argv[1]))
    vars(loop)["Answering"] = GrownAnswering  # which is served
    run_program(["serve", "--port=0", "--exit-with-parent", "--quiet"])


if __name__ == "__main__":
    main()
