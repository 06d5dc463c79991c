"""Shares the variants out among processes and gathers what comes of them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from queue import Queue

from paylera_conformance.selftest.verdicts import Breadth, VariantResult
from paylera_conformance.target.settings import ConfigError
from paylera_fixtures.mutants import Variant


def run_variants(
    variants: Sequence[Variant], *, workers: int, breadth: Breadth, tell: Callable[[VariantResult], None]
) -> dict[str, VariantResult]:
    """Run the suite against each variant, in several processes, and give the results by the variants' ids.

    - `tell`: called with each result as it comes in.

    Raises `ConfigError` where a process ended before it had run its share.
    """
    gathered: dict[str, VariantResult] = {}
    queue: Queue[VariantResult | str] = Queue()
    shares = [variants[number::workers] for number in range(workers) if variants[number::workers]]
    threads = [
        threading.Thread(target=_run_share, args=(share, queue), kwargs={"breadth": breadth}) for share in shares
    ]
    for thread in threads:
        thread.start()
    open_shares = len(threads)
    while open_shares:
        said = queue.get()
        if isinstance(said, VariantResult):
            gathered[said.id] = said
            tell(said)
        else:
            open_shares -= 1
    for thread in threads:
        thread.join()
    missing = [variant.id for variant in variants if variant.id not in gathered]
    if missing:
        raise ConfigError(f"the selftest ended before it had run {', '.join(missing)}")
    return gathered


def _run_share(share: Sequence[Variant], queue: Queue[VariantResult | str], *, breadth: Breadth) -> None:
    command = [sys.executable, "-m", "paylera_conformance.selftest.worker", breadth.value]
    command += [variant.id for variant in share]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL) as process:  # noqa: S603 - our own program
            for line in process.stdout or ():
                if line.startswith("{"):
                    queue.put(VariantResult.from_json(json.loads(line)))
    finally:
        queue.put("done")
