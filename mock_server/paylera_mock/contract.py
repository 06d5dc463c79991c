"""The contract as one value. A mutant is a copy of it with one part replaced (`Pipeline.with_…`).

- rules: the checks in their order, from the credential to the effect (`pipeline.rules`);
- decisions: the small questions within rules and operations, one function for each (`pipeline.decisions`);
- effects: what each operation does, by its id (`operations`);
- steps: what writes the headers of an answer (`pipeline.responses`);
- writers: what writes its body (`pipeline.responses`).
"""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from paylera_mock.operations import EFFECTS
from paylera_mock.pipeline import decisions, responses
from paylera_mock.pipeline.context import Decisions, Pipeline, Writers
from paylera_mock.pipeline.rules import RULES

CONTRACT: Final = Pipeline(
    rules=RULES,
    decisions=Decisions(**{field.name: getattr(decisions, field.name) for field in fields(Decisions)}),
    effects=EFFECTS,
    steps=responses.STEPS,
    writers=Writers(problem_body=responses.problem_body, reply_body=responses.reply_body),
)
"""The pipeline of a fake without mutants."""
