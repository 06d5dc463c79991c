"""Start the server: `python tests/reference_server --port 0`."""

from refserver.serve import main

if __name__ == "__main__":
    main()
