"""A suite that probes any URL for every clause of the contract, and says with evidence whether it is kept."""
