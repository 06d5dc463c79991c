"""Sends the requests of one case, keeps every exchange as evidence, and removes what the case has created."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Final
from urllib.parse import urlsplit

from paylera_conformance.http.client import Client
from paylera_conformance.http.raw_socket import send_raw
from paylera_conformance.model.messages import FRESH_KEY, Exchange, Request, Response
from paylera_conformance.model.outcomes import Blocked, CaseEnd, Inapplicable, TransportTrouble
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe import refusals
from paylera_conformance.probe.created_objects import CreatedObject, CreatedObjects
from paylera_conformance.probe.listed_ids import find_wrong_id
from paylera_conformance.probe.recording import Recording
from paylera_conformance.probe.refusals import Refusal, describe, describe_flaw, is_about_request
from paylera_conformance.probe.tokens import Tokens
from paylera_conformance.probe.variation import Variation
from paylera_conformance.target.provisioner import Provisioner
from paylera_conformance.target.settings import Settings
from paylera_conformance.verdict.target_time import TargetTimes
from paylera_fixtures.api.operations import Resource
from paylera_fixtures.redaction import Redactor, Secret
from paylera_fixtures.vocabulary import Problems, Source

_LIKELY_CAUSE: Final = {
    Problems.SCOPE_REQUIRED.code: "CONFIG: the token lacks what this operation needs",
    Problems.AUDIENCE_REQUIRED.code: "CONFIG: the token lacks what this operation needs",
    Problems.AAL2_REQUIRED.code: "CONFIG: declare under [operations] aal2 that it needs AAL2",
}
"""Why a request that should be accepted is refused, by the `problem` of the refusal."""


_ASKS_FOR_MORE: Final = "TARGET: it asks for more of a request, or for other values, than the contract does"
_USED_UP: Final = (
    "CONFIG: can this be done only once to the object that [operations] names? Write {id} in its place, so that each"
    " request has an object of its own"
)


class Sender:
    """Sends requests on behalf of one case.

    - `provisioner`: where credentials, actors, versions and moved clocks come from;
    - `variation`: what may be drawn, and says nothing;
    - `log`: every exchange, in the order of the requests; `looked_by`: who sent them, this one or one that several
      cases share; `told_calls`: how many of its control calls are in the evidence of some case;
    - `connections`: on how many connections of their own it was looked whether all processes behind the target agree;
    - `proofs`: how many comparisons with an accepted request held; a case without any has proven nothing.
    """

    def __init__(
        self,
        client: Client,
        provisioner: Provisioner,
        settings: Settings,
        tokens: Tokens,
        *,
        variation: Variation,
        recording: Recording | None,
    ) -> None:
        self._client = client
        self.provisioner = provisioner
        self.settings = settings
        self.tokens = tokens
        self.recording = recording
        self.variation = variation
        self._user_agent = variation.user_agent()
        self.log: list[Exchange] = []
        self.looked_by: Sender = self
        self.told_calls = 0
        self.proofs = 0
        self.connections = 0
        self._secrets: set[Secret] = set()
        self._created = CreatedObjects(client.limits)
        self._left_behind: list[str] = []

    def adopt(
        self, exchanges: Iterable[Exchange], *, proofs: int, left_behind: Iterable[str], by: Sender | None = None
    ) -> None:
        """Take over what was sent for this case by another sender: its evidence, its proofs, and what it left."""
        self.looked_by = by or self.looked_by
        for exchange in exchanges:
            self.log.append(exchange)
            if exchange.request.token is not None:
                self.register_secret(exchange.request.token)
        self.proofs += proofs
        self._left_behind += left_behind

    @cached_property
    def target_times(self) -> TargetTimes:
        """What the target's clock said, as far as its control calls were read for the evidence of some case."""
        return TargetTimes(stands_still=self.provisioner.stands_still)

    def register_secret(self, token: Credential) -> Credential:
        """Keep a token's secret out of every message from now on, sent or not; gives the token."""
        self._secrets.add(token.secret)
        return token

    def draw(self, make: Callable[[], str]) -> str:
        """What is made up; what a case that waited has made up before, it has again."""
        return self.recording.name(make) if self.recording else make()

    def begin_comparison(self) -> None:
        """Send what follows under another `User-Agent`: requests that are compared have the same one."""
        self._user_agent = self.draw(self.variation.user_agent)

    def redactor(self) -> Redactor:
        """What takes the secrets of the case out of a text."""
        return Redactor((*self._secrets, *self.settings.secrets))

    def send(self, request: Request, *, wait_on_429: bool = True) -> Exchange:
        """Send one request. Raises `Blocked` where its token is of the other environment and may not leave it.

        - `wait_on_429`: wait as `Retry-After` says and send again where the answer is 429.
        """
        if request.token is not None:
            home = self.settings.environment.other if request.live else self.settings.environment
            if self.register_secret(request.token).environment is not home and not request.token.may_cross:
                raise Blocked(
                    f"{request.token} is not to be sent to the other environment: set may_cross = true in its table"
                )
        base = self._base_of(request)

        def send() -> Exchange:
            keyed = replace(request, key=self.variation.key()) if request.key == FRESH_KEY else request
            return self._client.send(keyed, base, wait_on_429=wait_on_429, user_agent=self._user_agent)

        return self._keep(self.recording.exchange(request, send) if self.recording else send())

    def send_raw(
        self,
        request: Request,
        headers: Iterable[tuple[str, bytes]],
        *,
        target: str | None = None,
        host: str | None = None,
    ) -> Exchange | None:
        """Send a request over a socket, with these header bytes in place of the request's own headers.

        The headers that every request begins with are those of the others.

        - `target`: the request target, in place of the request's path below the base URL;
        - `host`: the `Host` header, in place of the base URL's.

        A 429 is waited for. `None` where the connection was closed without an answer.
        """
        base, own = self._base_of(request), tuple(headers)
        usual = self._client.usual_headers(self._user_agent, besides=[name for name, _ in own])
        sent = (*usual, *own)
        if request.token is not None:
            self.register_secret(request.token)
        text = (*([("Host", host)] if host else []), *((name, value.decode("latin-1")) for name, value in sent))

        def send() -> Exchange | None:
            began, at = time.monotonic(), datetime.now(UTC).isoformat(timespec="microseconds")
            response = self._send_bytes(request, target or urlsplit(base).path + request.path, sent, host)
            if response is None:
                return None
            return Exchange(request, base + request.path, text, response, seconds=time.monotonic() - began, at=at)

        exchange = self._client.wait_while_limited(send(), send)
        return None if exchange is None else self._keep(exchange)

    def _send_bytes(
        self, request: Request, target: str, headers: Iterable[tuple[str, bytes]], host: str | None
    ) -> Response | None:
        limits, settings = self._client.limits, self.settings
        self._client.count_one(request.method)
        began = time.monotonic()
        try:
            response = send_raw(
                self._base_of(request),
                target,
                headers,
                method=request.method,
                body=request.body,
                host=host,
                timeout=settings.timeout,
                ca_file=settings.ca_file,
            )
        except TransportTrouble:
            limits.note_loss(time.monotonic() - began, was_answered=False)
            raise
        if response is not None:
            limits.note_answer()
        return response

    def _keep(self, exchange: Exchange) -> Exchange:
        self.log.append(exchange)
        self._created.note(exchange)
        return exchange

    def _base_of(self, request: Request) -> str:
        if not request.live:
            return self.provisioner.url
        if self.provisioner.live_url is None:
            raise Blocked("the other environment's URL is not known: set [target] live_url")
        return self.provisioner.live_url

    # What a statement about the target rests on

    def require_accepted(self, request: Request, *, see: str = "") -> Exchange:
        """Send a request that must be accepted for anything to be proven.

        - `see`: the clause that asks for the acceptance, where it is another than the case's own.

        Raises `Blocked` with the likely cause where it is refused, `Inapplicable` where the target lacks the operation.
        """
        exchange = self.send(request)
        if not exchange.response.ok:
            raise self.explain_refusal(exchange, see=see)
        return exchange

    def explain_refusal(self, exchange: Exchange, *, see: str = "") -> Blocked | Inapplicable:
        """Why an accepted request was needed and not had, with the likely cause."""
        if not see and (wrong_id := find_wrong_id(self, exchange)):
            return wrong_id
        member, text = self.settings.find_named_operation(str(exchange.request))
        if member and not see and lacks_operation(exchange):
            answered = f"the target has no {exchange.request}: it answered {describe(exchange.response)}"
            return Inapplicable(
                f"{answered}. CONFIG: [operations] {member} names it: is {text} right?", exchange=exchange
            )
        return _explain_refusal(exchange, see=see, is_named=text == str(exchange.request))

    def require_refused(
        self, request: Request, as_: Refusal = refusals.ANY_REFUSAL, *, see: str, change: str = ""
    ) -> Exchange:
        """Send a request whose refusal another clause, `see`, asks for. Raises `Blocked` where it is not so refused."""
        exchange = self.send(request)
        as_ = as_.under(self.settings.readings)
        if not as_.accepts(exchange.response):
            raise Blocked(
                f"{change or f'{request} by {request.token}'} was answered {describe(exchange.response)}, not {as_}"
                f" (see {see})",
                exchange=exchange,
            )
        return exchange

    def send_without_token(self, request: Request) -> Exchange:
        """Send a request without its credential, to see that the credential is why it is accepted."""
        # Under a key of its own: a server that keeps answers of refused requests too must not find this one in its way.
        key = None if request.key is None else FRESH_KEY
        return self.send(replace(request, token=None, key=key, consumes=False))

    def count_acceptance(self, unauthenticated: Exchange) -> None:
        """Count an acceptance as proven where `unauthenticated`, the same without credential, was refused.

        Raises `Blocked` where it was not.
        """
        if not refusals.MISSING.accepts(unauthenticated.response):
            raise Blocked(
                f"{unauthenticated.request} without credential was answered {describe(unauthenticated.response)}, not"
                f" {refusals.MISSING}: that it is accepted with one proves nothing (see credential.missing)",
                exchange=unauthenticated,
            )
        self.proofs += 1

    # Afterwards

    def remove_created(self, *, but: Resource | None = None) -> list[str]:
        """Remove what the case has created, where the API can; gives what is left behind, and why. Never raises.

        - `but`: a kind that is still needed.
        """
        created = self._created.pop_all(but=but)
        return self._left_behind + [left for each in created if (left := self._remove(each))]

    def _remove(self, created: CreatedObject) -> str:
        """Remove one object; gives why it is still there, empty where it is gone."""
        if created.deletes is None:
            return f"{created}: the API has no operation that deletes one"
        reason = self._send_removal(created.removal)
        if reason and not created.removal.live:  # whoever made it may have been revoked since
            with suppress(CaseEnd):
                reason = self._send_removal(created.removal.by(self.tokens.for_operation(created.deletes)))
        return self.redactor().redact(f"{created}: {created.removal} {reason}") if reason else ""

    def _send_removal(self, request: Request) -> str:
        try:
            answer = self._client.send(request, self._base_of(request), user_agent=self._user_agent).response
        except CaseEnd as trouble:
            return f"was not sent: {trouble.reason}"
        return "" if answer.ok or refusals.GONE.accepts(answer) else f"was answered {describe(answer)}"


def lacks_operation(exchange: Exchange) -> bool:
    """Whether an answer says that the target has no such operation, and the guide names none that it must have."""
    operation = exchange.request.operation
    promised = operation is not None and operation.source is Source.GUIDE
    return exchange.response.status in {404, 405} and not promised


def _explain_refusal(exchange: Exchange, *, see: str, is_named: bool) -> Blocked | Inapplicable:
    request, response = exchange.request, exchange.response
    answered = f"{request} by {request.token} was answered {describe_flaw(response)}"
    if see:
        return Blocked(f"{answered}, not accepted (see {see})", exchange=exchange)
    if lacks_operation(exchange):
        return Inapplicable(f"the target has no {request}: it answered {describe(response)}", exchange=exchange)
    cause = "TARGET: without an accepted request nothing is proven"
    if response.status == 401:  # noqa: PLR2004 - RFC 9110, section 15.5.2
        cause = "CONFIG: is the token what the configuration says it is?"
    if is_about_request(response) and request.body is not None:
        cause = _USED_UP if is_named else _ASKS_FOR_MORE
    cause = _LIKELY_CAUSE.get(response.problem or "", cause)
    return Blocked(f"{answered} where it was to be accepted. {cause}", exchange=exchange)
