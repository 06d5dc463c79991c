"""The verbs in which the tests of the clauses are written.

What the clause says of the target is a plain verb: `accepts`, `refuses`, `expect`; it raises `Violation` where that is
not so. What it rests on is `require_…`: it raises `Blocked` where that is not so, since another clause asks for it.
"""

from __future__ import annotations

from collections.abc import Callable

from paylera_conformance.http.client import Client
from paylera_conformance.model.case_results import CellNote
from paylera_conformance.model.messages import FRESH_KEY, Exchange, Request
from paylera_conformance.model.outcomes import Blocked, NotOffered, Violation
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe.answers import shows_text
from paylera_conformance.probe.baselines import Baseline
from paylera_conformance.probe.clock import TargetClock
from paylera_conformance.probe.listed_ids import find_wrong_id
from paylera_conformance.probe.recording import Recording
from paylera_conformance.probe.refusals import describe, is_about_request
from paylera_conformance.probe.requests import RequestFactory
from paylera_conformance.probe.sender import Sender, lacks_operation
from paylera_conformance.probe.tokens import Tokens
from paylera_conformance.probe.variation import Variation
from paylera_conformance.target.openapi import Document
from paylera_conformance.target.provisioner import Need, Provisioner
from paylera_conformance.target.settings import Settings
from paylera_fixtures.api.operations import Operation


class Probe(Sender):
    """One test's access to the target.

    - `tokens`, `factory`: the credentials of the test, and accepted requests by them;
    - `clock`: the target's time;
    - `document`: gives the target's OpenAPI document;
    - `cell`: the cell of the matrix that the case is, if it is one; `rests_on`: the tokens that the cell takes;
    - `seen`: violations of other clauses that came to light, by the ids of these.
    """

    def __init__(
        self,
        client: Client,
        provisioner: Provisioner,
        settings: Settings,
        *,
        variation: Variation,
        document: Callable[[], Document],
        recording: Recording | None = None,
    ) -> None:
        tokens = Tokens(provisioner, settings, document, variation)
        super().__init__(client, provisioner, settings, tokens, variation=variation, recording=recording)
        self.document = document
        self.factory = RequestFactory(self, document)
        self.clock = TargetClock(provisioner, recording)
        self.cell: CellNote | None = None
        self.rests_on: list[Need] = []
        self.seen: list[tuple[str, Violation]] = []

    def begin_anew(self) -> None:
        """Forget what the case has done so far, since the time for what follows was missed."""
        if self.recording is not None:
            self.recording.clear()
        self.log.clear()
        self.proofs = 0
        self.clock.evidence = ""
        self.tokens = Tokens(self.provisioner, self.settings, self.document, self.variation)
        self.forget_objects()

    def forget_objects(self) -> None:
        """Make anew what requests refer to, since what was made so far is removed."""
        self.factory = RequestFactory(self, self.document)

    def require_other_url(self) -> None:
        """Drop the case where the other environment's URL is not given: the clause then rests on this one's.

        Raises `NotOffered` there.
        """
        if self.provisioner.live_url is None:
            raise NotOffered("the other environment's URL is not known: set [target] live_url")

    def baseline(self, accepted: Operation | Request) -> Baseline:
        """A request to compare changed ones with: the one given, or an accepted one for an operation."""
        request = accepted if isinstance(accepted, Request) else self.factory.request_for(accepted)
        self.begin_comparison()
        return Baseline(self, request)

    def accepts(self, request: Request, *, wanted: str = "a 2xx", hint: str = "") -> Exchange:
        """The clause is that this request is accepted; the same without its credential must be refused.

        Raises `Violation` where it is refused, `Blocked` where it is accepted without credential as well.
        """
        # What can be done once only is done by the one who may: an attempt by another may have an effect too.
        before = None if request.consumes else self.send_without_token(request)
        exchange = self.send(request)
        if not exchange.response.ok:
            if lacks_operation(exchange):
                raise self.explain_refusal(exchange)
            self._require_good_request(exchange)
            if wrong_id := find_wrong_id(self, exchange):
                raise wrong_id
            raise Violation(wanted, describe(exchange.response), hint=hint, exchange=exchange)
        self.count_acceptance(before or self.send_without_token(request))
        return exchange

    def _require_good_request(self, refused: Exchange) -> None:
        """Raise `Blocked` where a request was refused for what is sent: that is no refusal of who sent it.

        Where another token may send the same, it is accepted by that one.
        """
        request, operation = refused.request, refused.request.operation
        if request.body is None or not is_about_request(refused.response):
            return
        usual = None if operation is None else self.tokens.for_operation(operation)
        if usual is None or usual == request.token:
            raise self.explain_refusal(refused)
        self.require_accepted(request.by(usual).with_key(request.key and FRESH_KEY))

    def require_proven(self, request: Request, *, see: str = "") -> Exchange:
        """Send a request that is accepted, and refused without credential. Raises `Blocked` where either is not so.

        - `see`: the clause that asks for the acceptance, where it is another than the case's own.
        """
        unauthenticated = self.send_without_token(request)
        exchange = self.require_accepted(request, see=see)
        self.count_acceptance(unauthenticated)
        return exchange

    def require_listed(self, operation: Operation, value: str) -> None:
        """A list shows what an accepted request made: the baseline of `expect_not_listed`. Raises `Blocked`."""
        if not self.factory.lists(operation, value):
            raise Blocked(
                f"{operation} does not show what an accepted request made, so that no effect can be seen there"
            )

    def expect_not_listed(
        self,
        operation: Operation,
        value: str,
        *,
        change: str,
        token: Credential | None = None,
        hint: str = "the refusal must come before the effect",
    ) -> None:
        """The clause is that a refused request has left no trace in a list. Raises `Violation`."""
        shows = self.factory.lists(operation, value, token)
        if not shows and token is not None:  # a later page is looked for by another query
            shows = any(
                self._page_shows(operation, Request("GET", f"{operation.path}?{query}", token), value)
                for query in self.factory.pages_of_one(operation)
            )
        if shows:
            wanted, got = f"no trace of the refused request in {operation}", "what it would have made"
            raise Violation(wanted, got, change=change, hint=hint, exchange=self.log[-1])

    def _page_shows(self, operation: Operation, request: Request, value: str) -> bool:
        response = self.send(request).response
        return response.ok and shows_text(response.json, operation.resource, value)

    def expect(
        self, exchange: Exchange, wanted: str, *, holds: bool, got: object = None, change: str = "", hint: str = ""
    ) -> None:
        """The clause is that what is wanted `holds` of an exchange. Raises `Violation` where it does not.

        - `wanted`, `got`: what the clause asks for and what came, in one line each; without `got` it is the answer.
        """
        if not holds:
            got = describe(exchange.response) if got is None else got
            raise Violation(wanted, str(got), change=change, hint=hint, exchange=exchange)
