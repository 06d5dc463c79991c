"""What the tests share: programs to run, servers to talk to, and values to make."""
