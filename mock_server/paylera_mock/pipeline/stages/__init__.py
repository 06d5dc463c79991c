"""The rules by stage of the chain: the check of each, and beside it its description and its advice.

- A check is a function of the context that refuses, or lets pass with `None`. What it finds out stays in the context
  for those after it.
- A description tells what the check expects and what it got, in short sentences without a secret. It is written when
  somebody asks, from what the checks left in the context; a check that was not reached is not described.
- Advice tells what to do about the rule's refusal, in one or two sentences without a secret. It is asked for as a
  description is.
"""
