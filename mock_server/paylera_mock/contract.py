"""The contract as one value: the rules in their order, the small decisions, the effects, and the writing of answers.

A deliberate defect is a copy of `CONTRACT` with one part replaced.
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
"""How a fake judges that keeps the contract."""
