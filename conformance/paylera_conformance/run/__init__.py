"""The pytest run: the session, classification, paused cases, the state file."""
