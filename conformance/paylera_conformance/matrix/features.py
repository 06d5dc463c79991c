"""What else the requests of the matrix carry, and which operation carries what: a pairwise design.

A rule may be dropped where another header is there, or for one kind of token. So what a request carries besides varies
from operation to operation: over the cells of each rule, every pair of features occurs in every run.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from functools import cache, cached_property
from itertools import combinations
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import covertable

from paylera_fixtures.api.operations import Operation, Resource
from paylera_fixtures.vocabulary import Audience


class Grants(StrEnum):
    """How a token has the scope that it needs."""

    WILDCARD = "the wildcard"
    NAMED = "every scope by its name"
    NEEDED = "the needed scope alone"
    BOTH = "the wildcard beside a scope by its name"


class History(StrEnum):
    """What has become of a token: nothing, or rotations, of which its secret is the newest or one in its grace."""

    FRESH = "a token that was never rotated"
    ROTATED = "a token that was rotated twice"
    GRACE = "an old secret in its grace"
    OLDEST = "the oldest of four secrets in their grace"

    @property
    def is_old(self) -> bool:
        """Whether the secret is not the newest of its token."""
        return self in {History.GRACE, History.OLDEST}


class Version(StrEnum):
    """The version that a request names."""

    NONE = "no version"
    CURRENT = "the current version"
    OLDER = "an older version"


@dataclass(frozen=True)
class Features:
    """What an accepted request and the changed one beside it have in common; without arguments, nothing but the change.

    - `audience`: of the token; `None` for the one that the operation is for;
    - `created`: the token was made through the API that is judged, where a control API mints;
    - `own`: what it acts on belongs to the customer that customer tokens are for; so it does where one of these asks;
    - `changed`: what it reads was changed since it was made;
    - `actor`: it names an actor of the registry;
    - `key`: it has an idempotency key where none is needed;
    - `head`: it is sent as HEAD;
    - `live`: it goes to the other environment, by a token of that.
    """

    audience: Audience | None = None
    grants: Grants = Grants.WILDCARD
    history: History = History.FRESH
    created: bool = False
    version: Version = Version.NONE
    own: bool = False
    changed: bool = False
    actor: bool = False
    key: bool = False
    head: bool = False
    live: bool = False

    def __str__(self) -> str:
        return ", ".join(
            _WORDS[name].format(value) for name, value in vars(self).items() if value != getattr(PLAIN, name)
        )


_WORDS: Final = {
    "audience": "{} token",
    "grants": "{}",
    "history": "{}",
    "created": "a token made through the API",
    "version": "{}",
    "own": "an object of the end-user's",
    "changed": "an object that was changed",
    "actor": "an actor",
    "key": "an idempotency key",
    "head": "HEAD",
    "live": "the other environment",
}


PLAIN: Final = Features()

VALUES: Final[Mapping[str, tuple[Any, ...]]] = {
    "audience": (None, *Audience),
    "grants": tuple(Grants),
    "history": tuple(History),
    "created": (False, True),
    "version": tuple(Version),
    "own": (False, True),
    "changed": (False, True),
    "actor": (False, True),
    "key": (False, True),
    "head": (False, True),
    "live": (False, True),
}
"""Every value of each feature, the plain one first."""


def is_possible(operation: Operation, features: Features) -> bool:
    """Whether a request for an operation can have these features and still be one that is accepted."""
    audience = features.audience
    fixed = operation.is_admin or operation.aal2
    return not (
        (audience is not None and (fixed or audience not in operation.audiences))
        or (features.actor and audience is Audience.CUSTOMER)
        or (features.own and not _may_be_own(operation))
        or (features.changed and operation.id not in CHANGES)
        or (features.key and operation.method == "POST")
        or (features.head and not operation.is_read)
        # What an operation acts on is made in the named environment, and so is what the API makes.
        or (features.live and (not operation.is_list or features.created))
    )


CHANGES: Final[Mapping[str, tuple[str, ...]]] = {
    "get_customer": ("update_customer",),
    "get_subscription": ("cancel_subscription", "pause_subscription"),
    "get_invoice": ("pay_invoice", "void_invoice"),
    "get_payment": ("refund_payment",),
    "get_wallet": ("credit_wallet",),
    "get_webhook_endpoint": ("update_webhook_endpoint",),
}
"""What may change the object that an operation reads."""

_OWNED: Final = frozenset({Resource.SUBSCRIPTION, Resource.INVOICE, Resource.PAYMENT, Resource.WALLET})


def _may_be_own(operation: Operation) -> bool:
    """Whether an operation acts on what may be one customer's; the customer's own record is not to be removed."""
    is_owned = operation.resource in _OWNED or operation.id in {"get_customer", "update_customer"}
    return is_owned and not operation.is_list


Applies: TypeAlias = Callable[[Operation, Features], bool]
"""Whether a rule says anything of an operation that is asked for with some features."""


@dataclass(frozen=True)
class Round:
    """One round through rules on an operation: the baseline with some features, changed as each of the rules says."""

    operation: Operation
    features: Features
    rules: frozenset[str] = frozenset()


def plan_rounds(
    rules: Mapping[str, Applies],
    operations: Sequence[Operation],
    values: Mapping[str, Sequence[Any]],
    *,
    seed: int,
    sampled: Collection[str] = (),
    on_each: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> list[Round]:
    """Rounds in which each rule meets each of its operations, and each possible pair of features.

    What is said of objects, whose they are and whether they were changed, it meets on each operation.

    - `values`: of each feature those that are to be had at the target, the plain one among them;
    - `seed`: the same one gives the same rounds;
    - `sampled`: the rules that need not meet each operation;
    - `on_each`: by the name of a rule, the features that it is to meet on each operation.

    Every operation has a round of all its rules; more rounds take the rules alone to which they add a pair.
    """
    draw = random.Random(seed)  # noqa: S311 - a design, not a secret
    candidates = [Round(operation, features) for operation, features in _candidates(operations, values, draw)]
    cover = _Cover(rules, candidates, sampled=sampled, on_each=on_each)
    chosen = [cover.take(number, everything=True) for number in _first_of_each(candidates)]
    while (best := cover.best()) is not None:
        chosen.append(cover.take(best))
    draw.shuffle(chosen)
    return chosen


def _candidates(
    operations: Sequence[Operation], values: Mapping[str, Sequence[Any]], draw: random.Random
) -> Iterator[tuple[Operation, Features]]:
    """Every operation with every row of the covering array that it can have, in an order that differs for each."""
    rows = _covering_rows(tuple((name, tuple(some)) for name, some in values.items()), str(draw.random()))
    for operation in operations:
        fitting = dict.fromkeys(fit(operation, features) for features in rows)
        yield from ((operation, features) for features in draw.sample(list(fitting), len(fitting)))


@cache  # a selftest plans for hundreds of servers
def _covering_rows(values: tuple[tuple[str, tuple[Any, ...]], ...], salt: str) -> tuple[Features, ...]:
    return tuple(Features(**row) for row in covertable.make(dict(values), strength=3, salt=salt))


OF_OBJECTS: Final = frozenset({"own", "changed"})
"""The features of what an operation acts on, rather than of who asks."""

_OF_PAIRS: Final = ("actor", "created")
"""The features that are possible alone, and not beside every other: an actor, what the API made."""


@cache
def fit(operation: Operation, features: Features) -> Features:
    """The features that an operation can have of these; the others are plain."""
    impossible = _impossible_alone(operation)
    plain = {name: getattr(PLAIN, name) for name in VALUES if (name, getattr(features, name)) in impossible}
    features = replace(features, **plain)
    for name in _OF_PAIRS:
        if not is_possible(operation, features):
            features = replace(features, **{name: getattr(PLAIN, name)})
    return features


@cache
def _impossible_alone(operation: Operation) -> frozenset[tuple[str, Any]]:
    """The features that an operation cannot have, whatever it has beside."""
    return frozenset(
        (name, value)
        for name, values in VALUES.items()
        for value in values
        if not is_possible(operation, replace(PLAIN, **{name: value}))
    )


def _first_of_each(candidates: Sequence[Round]) -> Iterator[int]:
    """The first candidate of each operation; a HEAD shows no reason, so that it is not the first look."""
    seen: set[Operation] = set()
    for number, candidate in enumerate(candidates):
        if candidate.operation not in seen and not candidate.features.head:
            seen.add(candidate.operation)
            yield number


class _Cover:
    """What is still to be met by each rule, as bits: operations, pairs of features, and features on an operation."""

    def __init__(
        self,
        rules: Mapping[str, Applies],
        candidates: Sequence[Round],
        *,
        sampled: Collection[str],
        on_each: Mapping[str, Collection[str]],
    ) -> None:
        self._candidates = candidates
        numbers: dict[object, int] = {}
        # What one operation is met with, by the name of the feature; for none it is the operation itself.
        on_operations = {field.name: 0 for field in fields(Features)} | {"": 0}
        masks = []
        of_pairs: dict[Features, int] = {}  # many operations have the same features
        for operation, features in ((each.operation, each.features) for each in candidates):
            named = [(field.name, getattr(features, field.name)) for field in fields(features)]
            if features not in of_pairs:
                of_pairs[features] = _bits(numbers, combinations(named, 2))
            mask = of_pairs[features]
            for name, value in (*named, ("", None)):
                met = _bits(numbers, [(operation.id, name, value)])
                on_operations[name] |= met
                mask |= met
            masks.append(mask)
        self._gains = {
            name: [
                mask if applies(candidate.operation, candidate.features) else 0
                for candidate, mask in zip(candidates, masks, strict=True)
            ]
            for name, applies in rules.items()
        }
        self._missing = {}
        for rule, gains in self._gains.items():
            wanted = () if rule in sampled else {"", *OF_OBJECTS, *on_each.get(rule, ())}
            left_out = _union([met for name, met in on_operations.items() if name not in wanted])
            self._missing[rule] = _union(gains) & ~left_out

    def take(self, number: int, *, everything: bool = False) -> Round:
        """The candidate as a round, with the rules to which it adds something, or with every rule that applies."""
        taken = {
            name
            for name, gains in self._gains.items()
            if gains[number] and (everything or gains[number] & self._missing[name])
        }
        for name in taken:
            self._missing[name] &= ~self._gains[name][number]
        return replace(self._candidates[number], rules=frozenset(taken))

    def best(self) -> int | None:
        """The candidate that adds the most; `None` where nothing is missing."""
        while self._queue:
            promised, number = self._queue[0]
            adds = self._adds(number)
            if adds == -promised:  # what is missing only gets less, so that no other adds more than it once did
                return number if adds else None
            heapq.heapreplace(self._queue, (-adds, number))
        return None

    @cached_property
    def _queue(self) -> list[tuple[int, int]]:
        """The candidates by what each added when it was last looked at, negative, the most first."""
        queue = [(-self._adds(number), number) for number in range(len(self._candidates))]
        heapq.heapify(queue)
        return queue

    def _adds(self, number: int) -> int:
        """To how much of what is missing a candidate adds."""
        return sum(
            (self._gains[name][number] & missing).bit_count() for name, missing in self._missing.items() if missing
        )


def _bits(numbers: dict[object, int], items: Iterable[object]) -> int:
    """Items as bits; each new one gets the next number."""
    bits = 0
    for item in items:
        bits |= 1 << numbers.setdefault(item, len(numbers))
    return bits


def _union(masks: Sequence[int]) -> int:
    union = 0
    for mask in masks:
        union |= mask
    return union
