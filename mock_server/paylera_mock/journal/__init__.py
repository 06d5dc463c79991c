"""What was sent and answered: the record, its JSON view, retries, and verification."""
