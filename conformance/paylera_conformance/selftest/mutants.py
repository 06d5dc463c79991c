"""The mutants and dialects of the fake, as `paylera-mock mutants --json` lists them: no program imports the other."""

from __future__ import annotations

import subprocess
import sys
from typing import Literal

import msgspec

from paylera_conformance.target.settings import ConfigError
from paylera_fixtures.vocabulary import Profile


class Mutant(msgspec.Struct, frozen=True):
    """One deliberate difference of the fake: a mutant breaks the contract, a dialect keeps it in another way.

    - `breaks`: the clauses that must be violated, and `may_break` those that may, where probes overlap; a dialect
      breaks none, and may break what is a finding in its profile;
    - `subtle`: a careless suite would miss it;
    - `profile`: the profile under which it shows; `readings`: those that are set on top of it;
    - `operation`: the one on which it drops a rule, as method and path; such a mutant is a hole.
    """

    id: str
    description: str
    kind: Literal["mutant", "dialect"] = "mutant"
    breaks: tuple[str, ...] = ()
    may_break: tuple[str, ...] = ()
    subtle: bool = False
    profile: Profile = Profile.GUIDE
    readings: dict[str, str] = {}
    operation: str | None = None

    @property
    def is_dialect(self) -> bool:
        """Whether it keeps the contract."""
        return self.kind == "dialect"

    @property
    def may_violate(self) -> frozenset[str]:
        """Every clause that may be violated."""
        return frozenset((*self.breaks, *self.may_break))


def list_mutants(*, holes: bool = False) -> dict[str, Mutant]:
    """Every mutant and dialect of the fake by its id, or every hole. Raises `ConfigError` where it lists none."""
    command = [sys.executable, "-m", "paylera_mock", "mutants", "--json", *["--holes"] * holes]
    ended = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)  # noqa: S603 - our own program
    if ended.returncode != 0:
        last = ended.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise ConfigError(f"the fake did not list its mutants: {last}: pip install paylera-testkit")
    return {mutant.id: mutant for mutant in msgspec.json.decode(ended.stdout, type=list[Mutant])}
