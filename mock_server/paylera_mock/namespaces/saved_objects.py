"""What an object of a snapshot must have for the operations to go on with it. Further members stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.api.shapes import AMOUNT_PATTERN
from paylera_mock.core.messages import Object
from paylera_mock.core.typed_json import InvalidInputError, convert_json
from paylera_mock.operations.money import MINOR_UNITS
from paylera_mock.operations.state_machines import MACHINES

LARGEST_PLACE: Final = 2**53
"""Places in an order are below it: that is as far as every reader of JSON can count."""

ID_PATTERN: Final = r"^(?!.*(?:\bsk[_-]|whsec_))[!-.0-~]{1,200}$"
ID_WANTED: Final = "a string of 1 to 200 visible ASCII characters, without a slash, that looks like no secret"
Id: TypeAlias = Annotated[str, Meta(pattern=ID_PATTERN, description=ID_WANTED)]
_Amount: TypeAlias = Annotated[str, Meta(pattern=AMOUNT_PATTERN, description='an amount as a string, as in "29.00"')]
_Days: TypeAlias = Annotated[int, Meta(ge=0, le=730)]
_URL: TypeAlias = Annotated[str, Meta(pattern=r"^https?://[!-~]+$", description="an http or https URL")]


class _Saved(Struct):
    id: Id
    created_at: str


class _Product(_Saved):
    code: str


class _Plan(_Saved):
    code: str
    product_code: str
    currency: str
    trial_days: _Days


class _Customer(_Saved):
    customer_id: Id
    default_payment_method_id: str | None


class _Subscription(_Saved):
    customer_id: str
    plan_code: str
    status: str
    trial_days: _Days


class _Invoice(_Saved):
    customer_id: str
    currency: str
    status: str
    total: _Amount
    amount_due: _Amount
    amount_paid: _Amount
    payments: list[str]


class _Refund(Struct):
    id: Id
    amount: _Amount


class _Payment(_Saved):
    customer_id: str
    invoice_id: str
    payment_method_id: str | None
    currency: str
    status: str
    amount: _Amount
    refunds: list[_Refund]
    next_action: dict[str, object] | None
    last_error: dict[str, object] | None


class _Wallet(_Saved):
    customer_id: str
    currency: str
    balance: _Amount


class _WebhookEndpoint(_Saved):
    url: _URL
    events: list[str]
    status: Literal["enabled", "disabled", "auto_disabled"]


_KINDS: Final[Mapping[Resource, type[_Saved]]] = {
    Resource.PRODUCT: _Product,
    Resource.PLAN: _Plan,
    Resource.CUSTOMER: _Customer,
    Resource.SUBSCRIPTION: _Subscription,
    Resource.INVOICE: _Invoice,
    Resource.PAYMENT: _Payment,
    Resource.WALLET: _Wallet,
    Resource.WEBHOOK_ENDPOINT: _WebhookEndpoint,
    Resource.AUDIT_RECORD: _Saved,
    Resource.ACTOR: _Saved,
}


def check_object(kind: Resource, value: Object, place: str) -> None:
    """Raise `InvalidInputError` where an object lacks what its kind must have; `place` is where it stands."""
    if value.get("object") != kind.value:
        raise InvalidInputError(f"{place}.object", f'this must be "{kind.value}"')
    try:
        convert_json(value, _KINDS[kind])
    except InvalidInputError as flaw:
        raise InvalidInputError(f"{place}.{flaw.place}", flaw.message) from None
    if kind in MACHINES and value["status"] not in MACHINES[kind]:
        raise InvalidInputError(f"{place}.status", f"this must be one of {', '.join(MACHINES[kind])}")
    if value.get("currency", "USD") not in MINOR_UNITS:
        raise InvalidInputError(f"{place}.currency", f"this must be one of {', '.join(MINOR_UNITS)}")
    if kind is Resource.CUSTOMER and value["customer_id"] != value["id"]:
        raise InvalidInputError(f"{place}.customer_id", "this must be the same as id")
