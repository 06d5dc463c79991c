"""A fake Paylera that keeps the whole contract in memory: for tests of SDKs in any language."""
