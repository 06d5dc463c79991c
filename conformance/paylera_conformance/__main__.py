"""`python -m paylera_conformance` is `paylera-conformance`."""

from paylera_conformance.cli import main

# The guard matters: a worker process that is spawned imports this module again.
if __name__ == "__main__":
    main(prog_name="paylera-conformance")
