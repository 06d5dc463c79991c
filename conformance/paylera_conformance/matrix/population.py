"""The credentials of the matrix: live ones and dead ones of every kind, made once and used on every operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final
from urllib.parse import quote

from paylera_conformance.matrix.actors import Actors
from paylera_conformance.matrix.features import History
from paylera_conformance.model.case_results import PassedTime
from paylera_conformance.model.messages import FRESH_KEY, Exchange, Request
from paylera_conformance.model.outcomes import Blocked, CaseEnd
from paylera_conformance.model.tokens import Credential, TokenState, forge_credential
from paylera_conformance.probe.answers import find_id, require_secret
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.recording import MissedError, Pending
from paylera_conformance.probe.requests import RequestFactory
from paylera_conformance.scenarios.changes import FORGED
from paylera_conformance.scenarios.token_lifecycle import rotate
from paylera_conformance.scenarios.versions import release_version
from paylera_conformance.target.provisioner import OTHER, OWN, Need
from paylera_conformance.target.settings import Mode, VersionSettings
from paylera_fixtures.api.operations import BY_ID, Operation, Resource
from paylera_fixtures.tokens import environment_of
from paylera_fixtures.vocabulary import GRACE_SECONDS, WILDCARD, Audience, Environment

_ROTATIONS: Final = {History.FRESH: 0, History.ROTATED: 2, History.GRACE: 1, History.OLDEST: 3}
"""How often a token of a history is rotated."""

_ROTATE: Final = BY_ID["rotate_api_token"]
_REVOKE: Final = BY_ID["revoke_api_token"]
_CREATE: Final = BY_ID["create_customer"]


@dataclass(frozen=True)
class Kind:
    """What a credential is to be.

    - `scopes`: exactly these;
    - `history`: what has become of it before it ended, if it has;
    - `created`: it was made through the API that is judged;
    - `live`: of the other environment, and for its URL.
    """

    audience: Audience = Audience.SERVICE
    scopes: tuple[str, ...] = (WILDCARD,)
    aal: int = 1
    history: History = History.FRESH
    created: bool = False
    live: bool = False
    tenant: str = OWN
    state: TokenState = TokenState.ACTIVE

    def __str__(self) -> str:
        words = [
            "another tenant's" if self.tenant == OTHER else "",
            "the other environment's" if self.live else "",
            self.state if self.state is not TokenState.ACTIVE else "",
            self.audience,
            f"aal{self.aal}" if self.aal > 1 else "",
            " ".join(self.scopes) or "without scope",
            self.history.name.lower() if self.history is not History.FRESH else "",
            "of the API" if self.created else "",
        ]
        return " ".join(filter(None, words))


def expired_kind(kind: Kind) -> Kind:
    """What the expired credential beside an active one is: one in its grace has but to grow old."""
    history = History.FRESH if kind.history.is_old else kind.history
    return replace(kind, state=TokenState.EXPIRED, history=history)


class Population:
    """Credentials of every kind, each made when it is first asked for. `Blocked` is raised where one is not to be had.

    Where nothing can be made, what the configuration file lists has to do, whatever its history.

    - `actors`: whom these act for;
    - `asked`: the kind that was asked for, each time.
    """

    def __init__(self, probe: Probe, following: Callable[[str], Probe | None] = lambda _name: None) -> None:
        self.actors = Actors(probe)
        self._probe = probe
        self._following = following
        self._made: dict[Kind, Credential | CaseEnd] = {}
        self._issued: list[Need] = []
        self._needs: dict[Kind, list[Need]] = {}
        self._defaults: dict[str, str | None] = {}
        self.asked: list[Kind] = []
        self._passed: dict[str, PassedTime] = {}
        self._foreign: dict[Operation, RequestFactory] = {}

    def get(self, kind: Kind) -> Credential:
        """The credential of a kind."""
        self.asked.append(kind)
        if kind not in self._made:
            begin = len(self._issued)
            try:
                self._made[kind] = token = self._probe.register_secret(self._make(kind))
                if self._probe.provisioner.vanishes:
                    self._defaults[token.secret.reveal()] = self.versions().current
            except CaseEnd as end:
                self._made[kind] = end
            self._needs[kind] = self._issued[begin:]
        made = self._made[kind]
        if isinstance(made, CaseEnd):
            raise made
        return made

    def versions(self) -> VersionSettings:
        """The versions that the target supports, asked for once where nobody else releases one."""
        return self._own_versions if self._probe.provisioner.vanishes else self._probe.provisioner.versions()

    @cached_property
    def _own_versions(self) -> VersionSettings:
        return self._probe.provisioner.versions()

    def release(self) -> None:
        """Make another version the default for the tokens to come. Raises `Blocked` where that cannot be done."""
        release_version(self._probe)
        vars(self).pop("_own_versions", None)

    def default_of(self, token: Credential) -> str | None:
        """The version that was the default when a token was made; `None` where that is not known."""
        return self._defaults.get(token.secret.reveal(), token.default_version)

    def needs_of(self, kind: Kind) -> Sequence[Need]:
        """What was asked of the provisioner for a kind."""
        return self._needs.get(kind, ())

    def pending_end(self, kind: Kind) -> Pending | None:
        """Why a kind has to be waited for; `None` where it has not."""
        end = self._made.get(kind)
        return end if isinstance(end, Pending) else None

    def made(self, state: TokenState) -> list[tuple[Kind, Credential]]:
        """Every credential in a state that was made or found so far. Raises `Pending` where all of them wait."""
        made = {kind: token for kind, token in self._made.items() if kind.state is state}
        found = [(kind, token) for kind, token in made.items() if isinstance(token, Credential)]
        waiting = [end for end in made.values() if isinstance(end, Pending)]
        if waiting and not found:
            raise waiting[0]
        return found

    def passed_time(self, exchanges: Iterable[Exchange]) -> PassedTime:
        """How time passed for the expired credentials of these exchanges; nothing where it differs among them."""
        tokens = {exchange.request.token for exchange in exchanges if exchange.request.token}
        expired = [token.secret.reveal() for token in tokens if token.state is TokenState.EXPIRED]
        passed = {self._passed.get(secret, "") for secret in expired}
        return passed.pop() if len(passed) == 1 else ""

    def unknown(self, *, live: bool) -> Credential:
        """A credential of the right form that nobody issued, another each time."""
        environment = self._probe.settings.environment
        return self._probe.register_secret(
            forge_credential(self._probe.variation.secret(environment.other if live else environment), "unknown")
        )

    def forged(self, *, live: bool) -> Credential:
        """A token of an environment that nobody issued, in place of a real one."""
        environment = self._probe.settings.environment
        return self._probe.register_secret(
            forge_credential(self._probe.variation.secret(environment.other if live else environment), FORGED)
        )

    def foreign_reference(self, operation: Operation, member: str) -> str:
        """What a member of a body names, of another tenant's: `customer_id`, `plan_code` or `product_code`.

        - `operation`: each has its own, since one that takes it may make it known to others.
        """
        factory = self._foreign.get(operation)
        if factory is None:
            factory = self._probe.factory.for_tenant(lambda _operation: self.get(Kind(tenant=OTHER)))
            self._foreign[operation] = factory
        return str(factory.customer if member == "customer_id" else getattr(factory, member))

    def forget_objects(self) -> None:
        """Make anew what belongs to others, since what was made so far is removed."""
        self._foreign.clear()

    @cached_property
    def customer(self) -> str | None:
        """The customer that every customer token is bound to; `None` where that is not known."""
        return self._probe.tokens.customer.customer_id

    def expire(self, kinds: Iterable[Kind]) -> None:
        """Find the credentials whose grace has ended, or make them all at once: time is moved one single time.

        It must be the first thing that is asked of the population, since what is in its grace then would end with them.
        """
        made = []
        for kind in sorted(kinds, key=str):
            begin = len(self._issued)
            try:
                token = self._find_or_age(kind)
                if token.state is TokenState.EXPIRED:
                    self._made[kind] = token
                else:
                    made.append((kind, token))
            except CaseEnd as end:
                self._made[kind] = end
            self._needs[kind] = self._issued[begin:]
        if not made:
            return
        try:
            self._probe.clock.move_to(self._probe.clock.now(), seconds=GRACE_SECONDS + 1)
        except CaseEnd as end:
            self._made.update((kind, end) for kind, _ in made)
        else:
            for kind, token in made:
                self._made[kind] = self._end_grace(token, self._probe)

    def _find_or_age(self, kind: Kind) -> Credential:
        """A credential that is listed as expired or waited for, else one whose grace has yet to end."""
        try:
            return self._probe.register_secret(self._issue(kind))
        except Blocked:
            following = self._following(f"a {kind} credential")
            return self._rotated_out(kind) if following is None else self._wait_for_end(kind, following)

    def _wait_for_end(self, kind: Kind, probe: Probe) -> Credential:
        """The old secret of one token, rotated in the first session and looked at in one after its grace.

        - `probe`: it follows that token through the sessions.

        Raises `Pending` until the grace has ended.
        """
        self._require_making()
        begin = len(probe.log)
        try:
            if probe.provisioner.url != self._probe.provisioner.url:
                raise Blocked("the adapter's `isolate` gives another place in each session: let it give the same")
            need = replace(self._need(kind, disposable=True), state=TokenState.ACTIVE)
            rotation = rotate(probe, probe.register_secret(probe.factory.disposable_token(need)))
            self._probe.register_secret(rotation.new)
            probe.clock.move_to(rotation.after or probe.clock.now(), seconds=GRACE_SECONDS)
            return self._end_grace(rotation.old, probe)
        except MissedError:  # the recording is of another course: what it holds says nothing
            probe.begin_anew()
            return self._wait_for_end(kind, probe)
        finally:
            self._probe.adopt(probe.log[begin:], proofs=0, left_behind=[])

    def _end_grace(self, token: Credential, probe: Probe) -> Credential:
        self._passed[token.secret.reveal()] = probe.clock.evidence
        return replace(self._probe.register_secret(token), state=TokenState.EXPIRED)

    def _rotated_out(self, kind: Kind) -> Credential:
        """The old secret of a token; where the token is to have been rotated before, that of its second rotation."""
        self._require_making()
        self._probe.clock.now()  # nothing is to be spent where time cannot be moved
        active = replace(kind, state=TokenState.ACTIVE)
        token = self._begin(active, disposable=True)
        if kind.history is History.ROTATED:
            token = self._rotate(token, kind)
        self._use(active, token)
        self._rotate(token, kind)
        return token

    def _make(self, kind: Kind) -> Credential:
        if kind.state is TokenState.ACTIVE:
            return self._with_history(kind)
        if kind.state is TokenState.REVOKED and self._probe.settings.mode is Mode.FULL:
            active = replace(kind, state=TokenState.ACTIVE)
            token = self._with_history(active, disposable=True)
            self._use(active, token)
            self._end(kind, _REVOKE, token)
            return replace(token, state=TokenState.REVOKED)
        return self._issue(kind)

    def _with_history(self, kind: Kind, *, disposable: bool = False) -> Credential:
        token = old = self._begin(kind, disposable=disposable or kind.history is not History.FRESH)
        for _ in range(_ROTATIONS[kind.history]):
            self._require_making()
            token = self._rotate(token, kind)
        if kind.history.is_old:  # that the new secret is used ends no grace
            self._use(kind, token)
            self._write(kind, token)
            return replace(old, id=token.id)
        return token

    def revoke_others(self, count: int) -> None:
        """Have an admin revoke so many tokens that nobody uses. Raises `Blocked` where there are none to revoke."""
        for _ in range(count):
            self._end(Kind(), _REVOKE, self._issue(Kind(), disposable=True))

    def make_to_be_revoked(self, audience: Audience) -> Credential:
        """A token that nobody else uses. Raises `Blocked` where there is none."""
        return self._probe.register_secret(self._issue(Kind(audience), disposable=True))

    def revoke(self, token: Credential) -> None:
        """Have an admin revoke a token. Raises `Blocked` where that is refused."""
        self._end(Kind(token.audience), _REVOKE, token)

    def _begin(self, kind: Kind, *, disposable: bool = False) -> Credential:
        """A token that was never rotated, made through the API that is judged where its history says so."""
        if kind.created and self._probe.settings.mode is Mode.FULL and kind.tenant == OWN:
            created = self._probe.factory.create_token(self._need(kind, disposable=True))
            if created is not None:
                return created
        return self._issue(replace(kind, history=History.FRESH), disposable=disposable)

    def _use(self, kind: Kind, token: Credential) -> None:
        """Use a token that is to end, so that whoever keeps what was asked for before has this one."""
        operation = BY_ID["list_actors" if kind.audience is Audience.ADMIN else "list_customers"]
        self._probe.send(Request("GET", operation.path, token, live=kind.live))

    def _write(self, kind: Kind, token: Credential) -> None:
        """Have a token create something, where that is the audience's business."""
        if kind.audience is not Audience.ADMIN and not kind.live and kind.tenant == OWN:
            self._probe.send(self._probe.factory.request_for(_CREATE, token))

    def _require_making(self) -> None:
        if self._probe.settings.mode is not Mode.FULL:
            raise Blocked(f"tokens are rotated and revoked in mode full alone, and this is {self._probe.settings.mode}")

    def _issue(self, kind: Kind, *, disposable: bool = False) -> Credential:
        need = self._need(kind, disposable=disposable)
        self._issued.append(need)
        return self._probe.factory.disposable_token(need) if disposable else self._probe.provisioner.token(need)

    def _need(self, kind: Kind, *, disposable: bool) -> Need:
        return Need(
            str(kind),
            audience=kind.audience,
            scopes=kind.scopes,
            aal=kind.aal,
            environment=self._environment(kind),
            tenant=kind.tenant,
            customer_id=self.customer if self._is_bound(kind) else None,
            disposable=disposable,
            state=kind.state,
            at_least=kind.scopes == (WILDCARD,),
        )

    def _is_bound(self, kind: Kind) -> bool:
        """Whether a token is for the one customer; in the other environment, and to another tenant, there is none."""
        return kind.audience is Audience.CUSTOMER and kind.tenant == OWN and not kind.live

    def _environment(self, kind: Kind) -> Environment | None:
        return self._probe.settings.environment.other if kind.live else None

    def _rotate(self, token: Credential, kind: Kind) -> Credential:
        """The token with its next secret."""
        exchange = self._end(kind, _ROTATE, token)
        secret = require_secret(exchange, see="rotation.new-secret", other_than=token)
        if environment_of(secret) is not token.environment:
            raise Blocked("the new secret is one of the other environment (see rotation.new-secret)", exchange=exchange)
        identifier = find_id(exchange.response.json, Resource.API_TOKEN) or token.id
        return self._probe.register_secret(replace(token.with_secret(secret, f"{kind} (new)"), id=identifier))

    def _end(self, kind: Kind, operation: Operation, token: Credential) -> Exchange:
        """Have an admin rotate or revoke a token."""
        if token.id is None:
            raise Blocked(f"the id of {token} is not known: set id in its table")
        admin = self.get(Kind(Audience.ADMIN, aal=2, live=kind.live, tenant=kind.tenant))
        path = operation.concrete(quote(token.id, safe=""))
        request = Request(operation.method, path, admin, live=kind.live)
        if operation is _ROTATE:
            request = request.with_json({}).with_key(FRESH_KEY)
        # Whatever else it carries, it ends the token all the same.
        with suppress(Blocked):
            return self._probe.require_accepted(self._with_something_besides(request))
        return self._probe.require_accepted(request)

    def _with_something_besides(self, request: Request) -> Request:
        """The request with an actor, a version, or as it is."""
        besides = self._probe.variation.choice(("actor", "version", ""))
        versions = self.versions()
        pins = sorted({*versions.supported, *filter(None, [versions.current])})
        if besides == "actor" and not request.live:
            return request.acting_as(self.actors.known)
        return request.with_version(self._probe.variation.choice(pins)) if besides == "version" and pins else request
