"""A run against a stand-in that answers as expected: the dry run, and `init`."""
