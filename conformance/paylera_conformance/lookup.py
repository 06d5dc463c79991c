"""What can be looked up of the contract: the list of clauses, one of them, and those about a problem code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from paylera_conformance.rehearsal.token_counts import describe_use
from paylera_conformance.selftest.mutants import Mutant, list_mutants
from paylera_fixtures.clauses import BY_ID, CLAUSES, GROUPS, Clause, Level
from paylera_fixtures.spelling import advise
from paylera_fixtures.terminal import Line
from paylera_fixtures.vocabulary import PROBLEM_TYPES, Profile

_TITLES: Final = {problem.code: problem.title for problem in PROBLEM_TYPES}


def list_lines(clauses: Sequence[Clause], profile: Profile) -> Iterator[Line]:
    """Clauses in their groups, each with its level and its source."""
    for group, title in GROUPS.items():
        rows = [clause for clause in clauses if clause.group == group]
        if rows:
            yield Line(first=[(f"{group}: {title}", "bold")])
        for clause in rows:
            level = clause.level(profile)
            style = "red" if level is Level.MUST else "yellow"
            yield Line(clause.source, first=[(f"  {clause.id:<36} ", ""), (f"{level:<7}", style)])
        if rows:
            yield Line()


def clause_json(clause: Clause) -> dict[str, Any]:
    """A clause, with its level in each profile."""
    return {
        "id": clause.id,
        "group": clause.group,
        "says": clause.says,
        "probes": clause.probes,
        "source": clause.source,
        "section": clause.section,
        "levels": {profile.value: clause.level(profile).value for profile in Profile},
    }


def explain_lines(name: str) -> Iterator[Line]:
    """What a clause asks for, which clauses are about a problem code, or which a mutant breaks.

    Raises `ValueError` for another word.
    """
    if name in BY_ID:
        yield from _clause_lines(BY_ID[name])
        return
    if mutant := _mutant(name):
        yield Line(mutant.description, first=[(mutant.id, "bold"), ("  ", "")])
        for broken in mutant.breaks:
            yield Line(BY_ID[broken].says, first=f"  breaks {broken}: ", indent=4)
        if mutant.is_dialect:
            yield Line("A dialect: a server may answer so, and no must fails for it.", first="  ")
        return
    yield Line(_TITLES.get(name, ""), first=[(name, "bold"), ("  ", "")])
    for clause in _about(name):
        yield Line(clause.says, first=f"  {clause.id}: ", indent=4)


def explain_json(name: str) -> dict[str, Any]:
    """The same as JSON values; of a clause also what breaks it, and what it uses up. Raises `ValueError`."""
    if name in BY_ID:
        breaking = [mutant.id for mutant in _breaking(BY_ID[name])]
        return {**clause_json(BY_ID[name]), "uses_up": [*describe_use(name)], "broken_by": breaking}
    if mutant := _mutant(name):
        clauses = [clause_json(BY_ID[clause]) for clause in mutant.breaks]
        return {"mutant": name, "description": mutant.description, "clauses": clauses}
    return {
        "problem": name,
        "title": _TITLES.get(name, ""),
        "clauses": [clause_json(clause) for clause in _about(name)],
    }


def _clause_lines(clause: Clause) -> Iterator[Line]:
    yield Line(first=[(clause.id, "bold")])
    yield Line(clause.says, first="  says     ")
    yield Line(f"{clause.source}: {clause.section}", first="  source   ")
    if clause.probes:
        yield Line(clause.probes, first="  probed   ")
    for profile in Profile:
        yield Line(clause.level(profile), first=f"  {profile:<10}")
    for text in describe_use(clause.id):
        yield Line(text, first="  uses up  ")
    for mutant in _breaking(clause):
        yield Line(mutant.description, first=f"  broken by {mutant.id}: ")


def _breaking(clause: Clause) -> list[Mutant]:
    return [mutant for mutant in list_mutants().values() if clause.id in mutant.breaks]


def _mutant(name: str) -> Mutant | None:
    return None if name in _TITLES else list_mutants().get(name)


def _about(code: str) -> list[Clause]:
    """The clauses that name a problem code."""
    found = [clause for clause in CLAUSES if f"`{code}`" in f"{clause.says} {clause.probes}"]
    if not found and code in _TITLES:
        raise ValueError(f"no clause is about {code}: it is a code of the fake's own, and a target may have another")
    if not found and "/" in code:
        # As who knows `paylera-mock explain`, which judges requests.
        raise ValueError(
            f"{code!r} is no clause: give the id of one (`paylera-conformance list`), or a problem code; what a request"
            " is answered says `paylera-mock explain [METHOD] PATH`"
        )
    if not found:
        known = [*BY_ID, *_TITLES, *list_mutants()]
        raise ValueError(
            f"there is no clause, problem or mutant {code!r}: {advise(code, known, 'see `paylera-conformance list`')}"
        )
    return found
