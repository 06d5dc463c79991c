"""The tests: one file for each group of clauses, each test about one clause."""
