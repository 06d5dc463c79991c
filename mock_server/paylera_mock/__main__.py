"""`python -m paylera_mock` is `paylera-mock`."""

from paylera_mock.cli.main import main

# The guard matters: a worker that is spawned rather than forked imports this module again.
if __name__ == "__main__":
    main(prog_name="paylera-mock")
