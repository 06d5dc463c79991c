"""`python -m paylera_mock` is `paylera-mock`."""

from paylera_mock.cli.main import main

if __name__ == "__main__":
    main(prog_name="paylera-mock")
