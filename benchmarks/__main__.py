"""Runs one of the measurements: `python benchmarks NAME [--help]`; without a name it says what there is.

A folder that is run finds its own modules also where `PYTHONSAFEPATH` is set.
"""

from __future__ import annotations

import importlib
import sys
from typing import Final

NAMES: Final = ("publish", "gate", "speed", "growth", "costs", "suite", "dashboard", "fuzz")


def main() -> None:
    """Run the module that is named, with the arguments behind its name."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in NAMES:
        for each in NAMES:
            described, *_ = (importlib.import_module(each).__doc__ or "").splitlines()
            print(f"{each:<10} {described}")
        sys.exit(f"\nname one of these: python benchmarks {NAMES[0]}")
    sys.argv = [f"python benchmarks {name}", *sys.argv[2:]]
    sys.exit(importlib.import_module(name).main())


if __name__ == "__main__":
    main()
