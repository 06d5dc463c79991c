"""The idea that every verdict rests on: a changed request is compared with an accepted one, its baseline.

Alone, a refusal proves nothing: the target may be down, the token spent, the path wrong. It counts where the same
request without its one change is accepted before and after.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, Violation
from paylera_conformance.probe import refusals
from paylera_conformance.probe.refusals import Refusal, describe
from paylera_conformance.probe.sender import Sender
from paylera_fixtures.vocabulary import Header


@dataclass(frozen=True)
class Baseline:
    """An accepted request, sent before and after a changed one.

    One that uses its object up is sent once, after the changed one and on the same object, which shows that the change
    is why that was refused. `Blocked` is raised where the baseline itself is not accepted.
    """

    sender: Sender
    request: Request

    def refuses(self, changed: Request, as_: Refusal, *, change: str, hint: str = "") -> Exchange:
        """The clause is that the request with one change is refused as `as_`; gives the refusal.

        - `change`: the one change, in words;
        - `hint`: the likely cause where it is not so refused.

        Raises `Violation`, or `Blocked`.
        """
        as_ = as_.under(self.sender.settings.readings)
        if not self.request.consumes:
            for _ in range(self._times()):
                self.sender.require_accepted(self.request)
        exchange = self.sender.send(changed)
        if exchange.response.ok:
            as_.check(exchange, change=change, hint=hint)
        # What was refused for another reason, such as an outage, shows in the baseline too.
        self.sender.require_accepted(self.request)
        as_.check(exchange, change=change, hint=hint)
        self.sender.proofs += 1
        return exchange

    def require_refused(self, changed: Request, *, change: str, see: str) -> Exchange:
        """A refusal for any reason, which another clause, `see`, asks for. Raises `Blocked` where there is none."""
        try:
            return self.refuses(changed, refusals.ANY_REFUSAL, change=change)
        except Violation as violation:
            raise Blocked(
                f"{change}: this was answered {violation.got}, so there is no refusal to look at (see {see})",
                exchange=violation.exchange,
            ) from None

    def accepts(self, changed: Request, *, change: str, hint: str = "") -> Exchange:
        """The clause is that the request with one change is accepted as well. Both may use up an object of their own.

        Raises `Violation` where it is refused and the baseline is not; `Blocked` where both are, or where the changed
        one is accepted without credential.
        """
        exchange = self.sender.send(changed)
        if not exchange.response.ok:
            self.sender.require_accepted(self.request)
            raise Violation("a 2xx", describe(exchange.response), change=change, hint=hint, exchange=exchange)
        # Afterwards, since what is refused without a credential may have happened all the same.
        self.sender.count_acceptance(self.sender.send_without_token(changed))
        return exchange

    def refuses_raw(self, headers: Iterable[tuple[str, bytes]], *, change: str) -> None:
        """The clause is that the request with these header bytes gets a 4xx or a closed connection.

        The baseline travels over the same kind of socket. Raises `Violation` or `Blocked`.
        """
        for _ in range(self._times()):
            self._require_accepted_raw()
        exchange = self.sender.send_raw(self.request, headers)
        self._require_accepted_raw()
        if exchange is not None:
            refusals.ANY_REFUSAL.check(exchange, change=change)
        self.sender.proofs += 1

    def _times(self) -> int:
        """How often the baseline comes first: another number each time, so that what comes next cannot be told."""
        return int(self.sender.draw(lambda: str(self.sender.variation.baselines())))

    def _require_accepted_raw(self) -> None:
        secret = self.request.token.secret.reveal() if self.request.token else ""
        exchange = self.sender.send_raw(self.request, [(Header.AUTHORIZATION, f"Bearer {secret}".encode())])
        if exchange is None or not exchange.response.ok:
            answer = "a closed connection" if exchange is None else describe(exchange.response)
            raise Blocked(f"{self.request} over a bare socket was answered with {answer} where it was to be accepted")
