"""The actors of the matrix: whom a call may act for, and whom not."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property

from paylera_conformance.model.outcomes import CaseEnd
from paylera_conformance.probe.answers import find_entries
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios.token_lifecycle import make_absent_id
from paylera_fixtures.api.operations import BY_ID, Resource


class Actors:
    """Ids of actors, each found when it is first asked for. `Blocked` is raised where one is not to be had."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    @cached_property
    def known(self) -> str:
        """An actor of the registry."""
        return self._probe.provisioner.known_actor()

    @cached_property
    def address(self) -> str | None:
        """The e-mail address of that actor; `None` where no list shows one."""
        with suppress(CaseEnd):
            page = self._probe.send(self._probe.factory.list_request(BY_ID["list_actors"])).response.json
            actors = find_entries(page, Resource.ACTOR) or ()
            address = next((each.get("email") for each in actors if each.get("id") == self.known), None)
            return address if isinstance(address, str) and address.isascii() else None
        return None

    def another(self) -> str:
        """An actor of the registry whom no earlier call has named, where such can be made."""
        return self._probe.provisioner.known_actor()

    @cached_property
    def absent(self) -> str:
        """The id of no actor, of the form of one; the same each time, so that a second attempt is seen too."""
        return make_absent_id(self._probe, self.known)

    @cached_property
    def foreign(self) -> str:
        """An actor of another tenant's registry."""
        return self._probe.provisioner.foreign_actor()
