"""The suite proves its own teeth: mutants it must catch, dialects it must not complain of, null servers it must see."""
