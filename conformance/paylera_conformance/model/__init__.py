"""Values of the suite without behaviour: tokens, messages, outcomes, case results."""
