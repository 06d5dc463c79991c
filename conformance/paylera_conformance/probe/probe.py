"""The verbs in which the clauses are told: accepts, refuses, leaves no trace.

Nothing is proven alone. A refusal counts where the same request without its one change is accepted before and after; an
acceptance counts where the same request without its credential is refused with its reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from paylera_conformance.http.client import Client
from paylera_conformance.http.raw_socket import send_raw
from paylera_conformance.model.messages import Exchange, Request, Response
from paylera_conformance.model.outcomes import Blocked, CaseEnd, Inapplicable, NotOffered, TransportTrouble, Violation
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe import refusals
from paylera_conformance.probe.clock import TargetClock
from paylera_conformance.probe.created_objects import Created, CreatedObjects
from paylera_conformance.probe.recording import Recording
from paylera_conformance.probe.refusals import Refusal, describe
from paylera_conformance.probe.requests import RequestFactory, holds
from paylera_conformance.target.openapi import Document
from paylera_conformance.target.provisioner import Need, Provisioner
from paylera_conformance.target.settings import Settings
from paylera_fixtures.api.operations import Operation
from paylera_fixtures.redaction import Redactor, Secret
from paylera_fixtures.vocabulary import Header, Problems, Source

_NO_SUCH_ROUTE: Final = frozenset({404, 405})
_GONE: Final = frozenset({404, 410})
_GRANT_PROBLEMS: Final = (Problems.SCOPE_REQUIRED.code, Problems.AUDIENCE_REQUIRED.code)
NO_TOKEN: Final = "no Authorization header"  # noqa: S105 - names a change, holds no secret


class Probe:
    """One test's hold on the target: its world, its log of exchanges, its verbs.

    `proofs` counts the pairs that held; a case without any has proven nothing, whatever it asserted.
    """

    def __init__(
        self, client: Client, provisioner: Provisioner, settings: Settings, *, run_id: str,
        document: Callable[[], Document], tape: Recording | None = None,
    ) -> None:  # fmt: skip
        self._client = client
        self._provisioner = provisioner
        self._run_id = run_id
        self.tape = tape
        self.settings = settings
        self._secrets: set[Secret] = set()
        self.log: list[Exchange] = []
        self.proofs = 0
        self.document = document
        self.shop = self._workshop()
        self.clock = TargetClock(provisioner, tape)
        self._creations = CreatedObjects(client.limits)

    def _workshop(self) -> RequestFactory:
        return RequestFactory(
            self, self._provisioner, self.settings, run_id=self._run_id, document=self.document, tape=self.tape
        )

    def begin_anew(self) -> None:
        """Forget what the case has done so far, since the time for what follows was missed."""
        if self.tape is not None:
            self.tape.erase()
        self.log.clear()
        self.proofs = 0
        self.shop = self._workshop()

    # What a test asks for

    @property
    def world(self) -> Provisioner:
        """Where credentials, actors, versions and moved clocks come from."""
        return self._provisioner

    def token(self, need: Need) -> Credential:
        """A token as needed; raises `Blocked` where there is none."""
        return self._provisioner.token(need)

    def needs_other_url(self) -> None:
        """Drop the case where the other environment's URL is not given: the clause then rests on this one's."""
        if self._provisioner.live_url is None:
            raise NotOffered("the other environment's URL is not known: set [target] live_url")

    def known(self, token: Credential) -> Credential:
        """The token itself, its secret noted so that no message shows it before it is sent."""
        self._secrets.add(token.secret)
        return token

    def redactor(self) -> Redactor:
        """What takes the secrets of this test out of a text."""
        return Redactor((*self._secrets, *self.settings.secrets))

    @property
    def scope_refusal(self) -> Refusal:
        """The refusal of a token without the scope, under this run's readings."""
        return refusals.scope_required(self.settings.readings)

    @property
    def aal2_refusal(self) -> Refusal:
        """The refusal of a token without second factor, under this run's readings."""
        return refusals.aal2_required(self.settings.readings)

    # Sending

    def send(self, request: Request, *, patient: bool = True) -> Exchange:
        """Send one request and keep the exchange as evidence."""
        if request.token is not None:
            self._secrets.add(request.token.secret)
            self._refuse_to_cross(request, request.token)
        base = self._base(request)

        def send() -> Exchange:
            return self._client.send(request, base, patient=patient)

        exchange = self.tape.exchange(request, send) if self.tape else send()
        self.log.append(exchange)
        self._creations.note(exchange)
        return exchange

    def send_raw(
        self, request: Request, headers: Iterable[tuple[str, bytes]], *, target: str | None = None,
        method: str | None = None, body: bytes | None = None, host: str | None = None,
    ) -> Response | None:  # fmt: skip
        """Send a request over a socket with header bytes as given, in place of the request's own headers and body.

        - `target`: the request target in place of the request's path below the base URL.
        """
        base = self._base(request)
        prefix = "/" + base.split("://", 1)[1].partition("/")[2] if "/" in base.split("://", 1)[1] else ""
        sent = tuple(headers)
        if request.token is not None:
            self._secrets.add(request.token.secret)
        self._client.count_one(method or request.method)
        began, at = time.monotonic(), datetime.now(UTC).isoformat(timespec="milliseconds")
        response = send_raw(
            base, prefix + request.path if target is None else target, sent, method=method or request.method,
            body=body, host=host, timeout=self.settings.timeout,
        )  # fmt: skip
        if response is not None:
            shown = [("Host", host)] if host else []
            shown += [(name, value.decode("latin-1")) for name, value in sent]
            as_sent = replace(request, method=method or request.method, body=body)
            self.log.append(
                Exchange(as_sent, base + request.path, tuple(shown), response, seconds=time.monotonic() - began, at=at)
            )
            self._creations.note(self.log[-1])
        return response

    def tidy(self) -> list[str]:
        """Remove what the case has created, where the API can; gives what is left behind, and why. Never raises."""
        return [left for each in self._creations.pop_all() if (left := self._removed(each))]

    def _removed(self, created: Created) -> str:
        """Why an object is still there, empty where it is gone. Its maker may have been revoked since."""
        request = created.removal
        if request is None:
            return f"{created.kind} {created.identifier}: the API has no operation that deletes one"
        said = self._remove(request)
        if said and not request.live:
            with suppress(CaseEnd):
                said = self._remove(request.by(self.shop.token_for(created.removing)))
        return self.redactor().redact(f"{created.kind} {created.identifier}: {request} {said}") if said else ""

    def _remove(self, request: Request) -> str:
        try:
            answer = self._client.send(request, self._base(request)).response
        except CaseEnd as trouble:
            return f"was not sent: {trouble.reason}"
        return "" if answer.ok or answer.status in _GONE else f"was answered {describe(answer)}"

    def _refuse_to_cross(self, request: Request, token: Credential) -> None:
        """Keep a real token from the other environment's host, unless it was made or listed for that."""
        bound = self.settings.environment.other if request.live else self.settings.environment
        if token.environment is not bound and not token.may_cross:
            raise Blocked(f"{token} is not to be sent to the other environment: set may_cross = true in its table")

    def _base(self, request: Request) -> str:
        if not request.live:
            return self._provisioner.url
        if self._provisioner.live_url is None:
            raise Blocked("the other environment's URL is not known: set [target] live_url")
        return self._provisioner.live_url

    # Verbs

    def control(self, request: Request) -> Exchange:
        """Send a request that must be accepted for anything to be proven; raises `Blocked` or `Inapplicable`."""
        exchange = self.send(request)
        if not exchange.response.ok:
            raise _no_control(exchange)
        return exchange

    def rests_on(self, control: Request) -> Exchange:
        """Prove the ground that a clause about answers stands on: accepted, and refused without credential.

        Raises `Blocked` where it does not hold.
        """
        self.control(control)
        return self.accepts(control)

    def accepts(self, request: Request, *, wanted: str = "a 2xx", hint: str = "") -> Exchange:
        """The clause is that this request is accepted; the same without its credential must be refused.

        Raises `Violation` where it is refused, `Blocked` where it is accepted without credential as well.
        """
        bare = replace(request.without_token(), consumes=False)
        # What can be done once only is done by the one who may: a stranger's attempt may have an effect too.
        before = None if request.consumes else self.send(bare)
        exchange = self.send(request)
        self._check_accepted(exchange, wanted=wanted, hint=hint)
        stranger = before or self.send(bare)
        if not refusals.MISSING.accepts(stranger.response):
            raise Blocked(
                f"{request} without credential was answered {describe(stranger.response)}, not {refusals.MISSING}: "
                "that it is accepted with one proves nothing (see credential.missing)",
                exchange=stranger,
            )
        self.proofs += 1
        return exchange

    def _check_accepted(self, exchange: Exchange, *, wanted: str, hint: str) -> None:
        if exchange.response.ok:
            return
        if exchange.response.status in _NO_SUCH_ROUTE and not _guide_names(exchange.request):
            raise _no_control(exchange)
        raise Violation(wanted, describe(exchange.response), hint=hint, exchange=exchange)

    def refuses(self, changed: Request, *, control: Request, as_: Refusal, change: str, hint: str = "") -> Exchange:
        """The clause is that `control` with one change is refused as `as_`.

        The control is sent before and after; one that uses its object up is sent once, afterwards. Raises `Violation`,
        or `Blocked` where the control is not accepted.
        """
        if not control.consumes:
            self.control(control)
        exchange = self.send(changed)
        if exchange.response.ok:
            as_.check(exchange, change=change, hint=hint)
        self.control(control)
        as_.check(exchange, change=change, hint=hint)
        self.proofs += 1
        return exchange

    def refuses_bare(self, request: Request) -> Exchange:
        """A request without its credential is refused as `auth.missing_token`."""
        return self.refuses(request.without_token(), control=request, as_=refusals.MISSING, change=NO_TOKEN)

    def guarded(self, request: Request) -> None:
        """Prove, for a clause about something else, that an accepted request is refused without its credential.

        The accepted exchange is the last in the log. Raises `Blocked`.
        """
        try:
            self.refuses_bare(request)
        except Violation as violation:
            raise Blocked(
                f"that {request} is accepted proves nothing (see credential.missing): {violation.reason}",
                exchange=violation.exchange,
            ) from None

    def refuses_raw(self, headers: Iterable[tuple[str, bytes]], *, control: Request, change: str) -> None:
        """The clause is that `control` with header bytes in place of its own gets a 4xx or a closed connection.

        The control travels over the same kind of socket. Raises `Violation` or `Blocked`.
        """
        headers = tuple(headers)
        self._raw_control(control)
        response = self.send_raw(control, headers)
        self._raw_control(control)
        if response is not None:
            refusals.ANY_REFUSAL.check(self.log[-2], change=change)
        self.proofs += 1

    def _raw_control(self, control: Request) -> None:
        secret = control.token.secret.reveal() if control.token else ""
        response = self.send_raw(control, [(Header.AUTHORIZATION, f"Bearer {secret}".encode())])
        if response is None or not response.ok:
            said = "a closed connection" if response is None else describe(response)
            raise Blocked(f"{control} over a bare socket was answered with {said} where it was to be accepted")

    # Effects

    def is_listed(self, operation: Operation, value: str, token: Credential | None = None) -> None:
        """The list of an operation shows a value: the control of `is_not_listed`. Raises `Blocked`."""
        if not self.shop.lists(operation, value, token):
            raise Blocked(
                f"{operation} does not show what an accepted request made, so that no effect can be seen there"
            )

    def is_not_listed(
        self, operation: Operation, value: str, *, change: str, token: Credential | None = None,
        hint: str = "the refusal must come before the effect",
    ) -> None:  # fmt: skip
        """A refused request has left no trace in a list. Raises `Violation`."""
        if self.shop.lists(operation, value, token):
            raise Violation(
                f"no trace of the refused request in {operation}", "what it would have made", change=change,
                hint=hint, exchange=self.log[-1],
            )  # fmt: skip

    # Plain statements

    def expect(
        self,
        wanted: str,
        *,
        holds: bool,
        got: object,
        exchange: Exchange | None = None,
        change: str = "",
        hint: str = "",
    ) -> None:
        """State what the clause asks of an answer, by default the last. Raises `Violation` where it does not hold."""
        if not holds:
            raise Violation(wanted, str(got), change=change, hint=hint, exchange=exchange or self.log[-1])


def _guide_names(request: Request) -> bool:
    """Whether the guide itself names the operation, so that it must be there."""
    operation = request.operation
    return operation is not None and operation.source is Source.GUIDE


def _no_control(exchange: Exchange) -> Blocked | Inapplicable:
    """Why an accepted request was needed and not had, with the likely cause."""
    request, response = exchange.request, exchange.response
    said = f"{request} by {request.token} was answered {describe(response)} where it was to be accepted"
    if response.status in _NO_SUCH_ROUTE and not _guide_names(request):
        return Inapplicable(f"the target has no {request}: it answered {describe(response)}", exchange=exchange)
    if response.problem in _GRANT_PROBLEMS:
        return Blocked(f"{said}. CONFIG: the token lacks what this operation needs", exchange=exchange)
    if response.problem == Problems.AAL2_REQUIRED.code:
        return Blocked(f"{said}. CONFIG: declare under [operations] aal2 that it needs AAL2", exchange=exchange)
    if response.status == 401:  # noqa: PLR2004 - RFC 9110, section 15.5.2
        return Blocked(f"{said}. CONFIG: is the token what the configuration says it is?", exchange=exchange)
    return Blocked(f"{said}. TARGET: without an accepted request nothing is proven", exchange=exchange)


__all__ = ["NO_TOKEN", "Probe", "TargetClock", "TransportTrouble", "holds"]
