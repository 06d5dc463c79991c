"""What the test of a clause drives: the probe, refusals, baselines, the clock, recorded answers."""
