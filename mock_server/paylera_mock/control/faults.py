"""Faults, armed and removed: the mock's own calls, and no part of the protocol."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from paylera_mock.control.request import ControlRequest, ScopeQuery, Whole
from paylera_mock.control.targets import check_method, check_route, check_token
from paylera_mock.core import problems
from paylera_mock.core.json_text import encode_json
from paylera_mock.core.messages import BODILESS_STATUSES, FRAMING_HEADERS, HEADER_NAME
from paylera_mock.core.problems import RefusedError
from paylera_mock.core.typed_json import InvalidInputError, convert_json, one_of
from paylera_mock.faults.model import (
    LONGEST_PAUSE_SECONDS,
    NEEDS_SOCKET,
    Action,
    ArmedFault,
    Fault,
    FaultPoint,
    RequestFilter,
    RetryAfterForm,
)
from paylera_mock.faults.presets import PRESETS, Preset
from paylera_mock.faults.problems import needs_socket
from paylera_mock.journal.verify import Route

_REDIRECTS: Final = (301, 302, 303, 307, 308)
_ANSWERS: Final = range(200, 600)
_ANSWER_MEMBERS: Final = (
    "status",
    "problem",
    "retry_after",
    "retry_after_as",
    "headers",
    "body",
    "body_base64",
    "merge",
)
_MEMBERS: Final[Mapping[Action, tuple[str, ...]]] = {
    Action.ANSWER: _ANSWER_MEMBERS,
    Action.DELAY: ("seconds",),
    Action.REDIRECT: ("location", "status"),
    Action.TRUNCATE: ("size",),
}
"""What an action has beside the choice of requests; the others have nothing."""

_VALUE: Final = re.compile(r"[\t -~]*")
_WHILE_SENDING: Final = NEEDS_SOCKET | {Action.DELAY, Action.DROP, Action.HANG}
_Count: TypeAlias = Annotated[Whole, Meta(ge=1, le=1_000_000)]


class FaultBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to go wrong, and for which requests: see `Fault` and `RequestFilter`."""

    action: Action | UnsetType = UNSET
    preset: Preset | UnsetType = UNSET
    at: FaultPoint | UnsetType = UNSET
    method: str | UnsetType = UNSET
    route: Route | UnsetType = UNSET
    token: str | UnsetType = UNSET
    nth: _Count = 1
    times: _Count = 1
    probability: Annotated[float, Meta(ge=0, le=1)] | UnsetType = UNSET
    seed: Annotated[Whole, Meta(ge=0, le=2**53)] | UnsetType = UNSET
    status: Whole | UnsetType = UNSET
    problem: str | UnsetType = UNSET
    retry_after: Annotated[Whole, Meta(ge=0, le=86_400)] | UnsetType = UNSET
    retry_after_as: RetryAfterForm | UnsetType = UNSET
    headers: dict[str, str | None] | UnsetType = UNSET
    body: Any = UNSET
    body_base64: bytes | UnsetType = UNSET
    merge: dict[str, Any] | UnsetType = UNSET
    seconds: Annotated[float, Meta(ge=0, le=LONGEST_PAUSE_SECONDS)] | UnsetType = UNSET
    location: str | UnsetType = UNSET
    size: Annotated[Whole, Meta(ge=0, le=1_000_000)] | UnsetType = UNSET


class FaultView(Struct):
    """A fault in force: how many requests matched it, and how often it happened.

    `status` and what follows it: `null` where the fault has none; its headers and its body are not shown.
    """

    id: str
    at: FaultPoint
    action: Action
    preset: str | None
    status: int | None
    problem: str | None
    retry_after: int | None
    seconds: float | None
    probability: float | None
    method: str | None
    route: str | None
    token: str | None
    nth: int
    times: int
    matched: int
    happened: int


class FaultList(Struct):
    """The faults in force, in the order in which they were armed.

    `never_struck`: of these, and of those that were removed, what no request met, each in a few words.
    """

    data: list[FaultView]
    never_struck: list[str]


def arm_fault(call: ControlRequest, body: FaultBody) -> FaultView:
    """`POST C/faults`: let something go wrong from now on, once if `times` does not say otherwise.

    What a preset says is overridden by what the body says. Raises `RefusedError` for an action that needs a socket
    where there is none, `InvalidInputError` for members that do not go together, and for a method, a route or a token
    that does not exist.
    """
    if body.preset is not UNSET:
        body = convert_json({**PRESETS[body.preset].members, **call.body}, FaultBody)
    if body.action is UNSET:
        raise InvalidInputError("action", f"this is missing: it must be {one_of(Action)}; or give a `preset`")
    if body.action in NEEDS_SOCKET and not call.namespaces.socket_faults:
        raise RefusedError(needs_socket(body.action))
    _check_members(body, body.action)
    _check_combination(body)
    _check_answer(body)
    check_method("method", body.method)
    check_route("route", body.route)
    check_token("token", body.token, [call.namespace])
    return _view_fault(call.namespace.faults.arm(_read_fault(call.namespace.faults.new_id(), body)))


def _check_members(body: FaultBody, action: Action) -> None:
    """Raise `InvalidInputError` for a member that the action would ignore, as a delay does a `status`."""
    for name in sorted({name for names in _MEMBERS.values() for name in names}):
        if getattr(body, name) is not UNSET and name not in _MEMBERS.get(action, ()):
            takers = [taker for taker, names in _MEMBERS.items() if name in names]
            raise InvalidInputError(name, f"this goes with the action {' or '.join(takers)} only")


def _check_combination(body: FaultBody) -> None:
    """Raise `InvalidInputError` for members that do not go together."""
    action, at = body.action, body.at
    if at is FaultPoint.WHILE_SENDING and action not in _WHILE_SENDING:
        raise InvalidInputError("at", f"this goes with {', '.join(sorted(_WHILE_SENDING))} only")
    if action in NEEDS_SOCKET and at not in {UNSET, FaultPoint.AFTER_COMMIT, FaultPoint.WHILE_SENDING}:
        raise InvalidInputError("at", "this must be after_commit or while_sending: there must be an answer to spoil")
    if (body.probability is UNSET) is not (body.seed is UNSET):
        raise InvalidInputError("probability", "nothing is random unless seeded: give both `probability` and `seed`")
    if action is Action.DELAY and body.seconds is UNSET:
        raise InvalidInputError("seconds", "this is missing: a delay takes from 0 to 60 seconds")
    if body.status is not UNSET and action is Action.REDIRECT and body.status not in _REDIRECTS:
        raise InvalidInputError("status", f"a redirect is {one_of(_REDIRECTS)}")
    if body.location is not UNSET and not _VALUE.fullmatch(body.location):
        raise InvalidInputError("location", "this must be a URL of ASCII, without line breaks")


def _check_answer(body: FaultBody) -> None:
    """Raise `InvalidInputError` for what no answer can be."""
    if body.status is not UNSET and body.action is not Action.REDIRECT and body.status not in _ANSWERS:
        raise InvalidInputError("status", f"this must be a whole number from {_ANSWERS[0]} to {_ANSWERS[-1]}")
    contents = [name for name in ("body", "body_base64", "merge") if getattr(body, name) is not UNSET]
    if len(contents) > 1:
        raise InvalidInputError(contents[1], f"there is `{contents[0]}` already: leave one out")
    if contents and body.status in BODILESS_STATUSES:
        raise InvalidInputError(contents[0], f"an answer with the status {body.status:.0f} has no body")
    if body.merge is not UNSET and body.at not in {UNSET, FaultPoint.AFTER_COMMIT}:
        raise InvalidInputError("at", "this must be after_commit: there must be an answer to change")
    if body.headers is not UNSET:
        _check_headers(body.headers)


def _check_headers(headers: Mapping[str, str | None]) -> None:
    """Raise `InvalidInputError` for a header that cannot be sent; it may be a secret, and so is not repeated."""
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            raise InvalidInputError("headers", "a name has letters, digits and hyphens: no space, colon or line break")
        if value is not None and not _VALUE.fullmatch(value):
            raise InvalidInputError(f"headers.{name}", "a value is of ASCII, without line breaks")
        if name.lower() in FRAMING_HEADERS:
            raise InvalidInputError(f"headers.{name}", "the server writes this one: see truncate, drop and garbage")


def _read_fault(fault_id: str, body: FaultBody) -> Fault:
    """The fault that a body asks for, with what it does not say."""
    answer = HTTPStatus.SERVICE_UNAVAILABLE if body.retry_after is UNSET else HTTPStatus.TOO_MANY_REQUESTS
    members: dict[str, Any] = {
        "at": _default_point(body),
        "status": HTTPStatus.TEMPORARY_REDIRECT if body.action is Action.REDIRECT else answer,
        "headers": () if body.headers is UNSET else tuple(body.headers.items()),
        "body": _read_content(body),
        "changes_status": body.status is not UNSET,
    }
    for name, value in structs.asdict(body).items():
        if value is not UNSET and name not in _READ_APART:
            # A client may write a whole number as 2.0.
            members[name] = int(value) if isinstance(value, float) and value.is_integer() else value
    chosen = {name: members.pop(name) for name in ("method", "route", "token", "nth") if name in members}
    if "method" in chosen:
        chosen["method"] = chosen["method"].upper()
    return Fault(id=fault_id, filter=RequestFilter(**chosen), **members)


_READ_APART: Final = frozenset({"headers", "body", "body_base64"})


def _default_point(body: FaultBody) -> FaultPoint:
    if body.action in NEEDS_SOCKET:
        return FaultPoint.WHILE_SENDING
    return FaultPoint.BEFORE_AUTH if body.merge is UNSET else FaultPoint.AFTER_COMMIT


def _read_content(body: FaultBody) -> bytes | None:
    """The bytes that are answered; `None` for a problem, which a status of success is not, or for the true answer."""
    if body.body_base64 is not UNSET:
        return body.body_base64
    if isinstance(body.body, str):
        return body.body.encode()
    if body.body is not UNSET:
        return encode_json(body.body).encode()
    if body.action is not Action.ANSWER or body.merge is not UNSET or body.status is UNSET:
        return None
    return b"" if body.status < HTTPStatus.BAD_REQUEST else None


def list_faults(call: ControlRequest, query: ScopeQuery) -> FaultList:
    """`GET C/faults`: the faults in force, how often each happened, and which never did.

    With `?scope=all` those of every namespace there is. Raises `InvalidInputError` where a namespace asks for all.
    """
    registries = [call.namespace.faults]
    if call.means_all(query):
        registries += [namespace.faults for namespace in call.namespaces]
    return FaultList(
        [_view_fault(armed) for registry in registries for armed in registry],
        [armed.fault.label for registry in registries for armed in registry.never_struck()],
    )


def clear_faults(call: ControlRequest) -> None:
    """`DELETE C/faults`: remove every fault; requests that hang by one go on."""
    call.namespace.faults.clear()


def disarm_fault(call: ControlRequest) -> None:
    """`DELETE C/faults/{id}`: remove one fault; requests that hang by it go on.

    Raises `RefusedError` where there is no such fault.
    """
    if not call.namespace.faults.disarm(call.identifier):
        raise RefusedError(problems.not_found("fault"))


def _view_fault(armed: ArmedFault) -> FaultView:
    fault, chosen = armed.fault, armed.fault.filter
    has_status = fault.action is Action.REDIRECT or (
        fault.action is Action.ANSWER and (fault.merge is None or fault.changes_status)
    )
    return FaultView(
        id=fault.id,
        at=fault.at,
        action=fault.action,
        preset=fault.preset,
        status=fault.status if has_status else None,
        problem=fault.problem,
        retry_after=fault.retry_after,
        seconds=fault.seconds if fault.action is Action.DELAY else None,
        probability=None if fault.seed is None else fault.probability,
        method=chosen.method,
        route=chosen.route,
        token=chosen.token,
        nth=chosen.nth,
        times=fault.times,
        matched=armed.matched,
        happened=armed.happened,
    )
