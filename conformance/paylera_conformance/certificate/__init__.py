"""Certificates: a run's evidence in one file, from which anyone can find its verdict again."""
