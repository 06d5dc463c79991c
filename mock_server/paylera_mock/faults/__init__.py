"""Failures that a test asks for: which requests they strike, and what happens to those."""
