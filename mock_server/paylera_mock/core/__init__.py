"""Values without state: messages, policy, problems, credentials, clock, ids, randomness, hosts."""
