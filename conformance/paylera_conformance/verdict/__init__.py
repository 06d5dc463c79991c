"""What follows from the cases: evidence, recorded exchanges, known failures."""
