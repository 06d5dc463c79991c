"""The API itself: from a request to its answer."""

from __future__ import annotations

import json
import threading
import uuid
from datetime import UTC, datetime
from email.utils import format_datetime

from . import checks
from .call import Call
from .messages import JSON, Answer, Request
from .policy import AUDIT_DELAY, KEY_LIFETIME, OVERLAP, RATE_MOST
from .problems import KEY_BUSY, KEY_REUSED, UNREADABLE, RefusalError
from .routes import Operation, find
from .world import Quota, Record, World


def answer(world: World, environment: str, request: Request, *, instance: str) -> Answer:
    """Answer a request to one environment of a world; `instance` is its path as the client sees it."""
    call = Call(world, environment, request, instance, world.version)
    try:
        given = _pass_and_act(call)
    except RefusalError as refusal:
        given = refusal.answer(instance=call.instance, trace_id=uuid.uuid4().hex)
    except _Replayed as replay:
        given = replay.answer.under({"x-idempotent-replay": "yes"})
    with world.lock:
        quota = world.count(*_bucket(call), by=0)
        return given.under({**_rate_headers(quota), **_version_headers(call)})


class _Replayed(Exception):  # noqa: N818 - no error: the way back from within the checks
    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def _pass_and_act(call: Call) -> Answer:
    """Check, claim the key, let go of the world for a moment so that duplicates are seen as such, then act."""
    with call.world.lock:
        operation, record = _check(call)
    with call.world.lock:
        try:
            given, remembered = _act(call, operation)
        except RefusalError as refusal:
            given = remembered = refusal.answer(instance=call.instance, trace_id=uuid.uuid4().hex)
        if record is not None:
            record.answer = remembered.under(_version_headers(call))
        return given


def _check(call: Call) -> tuple[Operation, Record | None]:
    try:
        call.bearer = checks.authenticate(call)
    finally:
        checks.settle_version(call)
        quota = call.world.count(*_bucket(call), by=1)
        # Where there is nothing, nobody is asked for a credential: this refusal goes before that one.
        operation, call.ident = find(call.request.method, call.request.path)
    checks.check_rate(call, quota)
    checks.check_grants(call, operation)
    key = checks.idempotency_key(call, operation)
    checks.check_version(call)
    call.actor = checks.acting_actor(call)
    return operation, None if key is None else _claim(call, key)


def _claim(call: Call, key: str) -> Record:
    """Take a key for this call. Raises `_Replayed` where it was used before, or `RefusalError`."""
    slot = (*call.owner, call.request.method, call.request.path, key)
    record = call.world.records.get(slot)
    if record is None or call.world.now - record.since >= KEY_LIFETIME:
        record = call.world.records[slot] = Record(_fingerprint(call.request.body), call.world.now)
        return record
    if record.fingerprint != _fingerprint(call.request.body):
        raise RefusalError(KEY_REUSED, "Take another key for another body.")
    if record.answer is None:
        raise RefusalError(KEY_BUSY, "Send this again in a moment.", headers={"retry-after": "1"})
    raise _Replayed(record.answer)


def _fingerprint(body: bytes) -> str:
    """What bodies are compared by: what they say, not how it is written."""
    try:
        return json.dumps(_parsed(body), sort_keys=True)
    except RefusalError:
        return f"unreadable {body!r}"


def _parsed(body: bytes) -> JSON:
    try:
        value = json.loads(body.decode() or "{}", parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise RefusalError(UNREADABLE, "It could not be read as JSON.") from None
    if not isinstance(value, dict):
        raise RefusalError(UNREADABLE, "It is JSON, but no object.")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _act(call: Call, operation: Operation) -> tuple[Answer, Answer]:
    """Do what is asked; give the answer, and what is remembered of it."""
    if operation.method in {"POST", "PATCH"}:
        call.body = operation.shape.taken_from(_parsed(call.request.body))
    result = operation.action(call)
    if operation.method != "GET":
        _audit(call, operation)
    return result.answer(), result.again()


def _audit(call: Call, operation: Operation) -> None:
    """Write down who did what, the token and the actor where there is one: a moment later, as logs are written."""
    behalf = {} if call.actor is None else {"on_behalf_of": {"registry": "actors", "entry": call.actor}}
    what = {"method": operation.method, "template": operation.path, "object": call.ident}
    record = {"what": what, "who": {"credential": {"kind": "token", "ref": call.token.ident}, **behalf}}

    def write() -> None:
        with call.world.lock:
            call.add("audit_record", record)

    writer = threading.Timer(AUDIT_DELAY, write)
    writer.daemon = True
    writer.start()


def _bucket(call: Call) -> tuple[str, str]:
    """Whose window a request counts in, and which."""
    tenant = "" if call.bearer is None else call.bearer.tenant
    if call.request.path.startswith("/v1/admin/"):
        return tenant, "admin"
    return tenant, "reads" if call.request.method == "GET" else "writes"


def _rate_headers(quota: Quota) -> dict[str, str]:
    reset = str(int(quota.ends.timestamp()) + 1)
    return {"x-ratelimit-limit": str(RATE_MOST), "x-ratelimit-remaining": str(quota.left), "x-ratelimit-reset": reset}


def _version_headers(call: Call) -> dict[str, str]:
    """The version that answered, and since when and until when it is an old one (RFC 9745, RFC 8594)."""
    versions = call.world.versions
    echo = {"PAYLERA-VERSION": call.version}
    if call.version == versions[-1]:
        return echo
    successor = versions[versions.index(call.version) + 1]
    since = datetime.fromisoformat(successor).replace(tzinfo=UTC)
    sunset = format_datetime(since + OVERLAP, usegmt=True)
    return {**echo, "DEPRECATION": f"@{int(since.timestamp())}", "SUNSET": sunset}
