"""Runs the suite against servers whose faults are known: what it must catch, and what it must not complain of."""
