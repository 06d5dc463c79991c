"""One isolated fake Paylera: its state, behaviour and seed, and snapshots of it."""
