"""What the clients of a namespace do wrong, and which clauses their tests cover."""
