"""Tables of cases, and the verbs of one subject, which the tests of the clauses run over."""
