"""The commands of `paylera-mock`."""
