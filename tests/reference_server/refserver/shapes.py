"""Which bodies will do: the members that each must have, those it may have, and what they look like."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from .messages import JSON
from .problems import UNFIT, RefusalError

Check: TypeAlias = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 500


def _matching(pattern: str) -> Check:
    form = re.compile(pattern, re.ASCII)
    return lambda value: _text(value) and form.fullmatch(value) is not None


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _metadata(value: Any) -> bool:
    return _object(value) and len(value) <= 50 and all(_text(text) for text in value.values())


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1000


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and len(value) <= 100 and all(check(item) for item in value)


AMOUNT: Final = _matching(r"[0-9]{1,12}(\.[0-9]{1,8})?")
CURRENCY: Final = _matching("[A-Z]{3}")
EMAIL: Final = _matching(r"[^@\s]+@[^@\s]+")
NAME: Final = _matching(r"[A-Za-z0-9._-]{1,120}")
URL: Final = _matching(r"https?://[!-~]+")


def _line(value: Any) -> bool:
    return _object(value) and all(AMOUNT(value.get(name)) for name in ("quantity", "unit_amount"))


@dataclass(frozen=True)
class Shape:
    """The members of a body; others are ignored."""

    must: dict[str, Check] = field(default_factory=dict)
    may: dict[str, Check] = field(default_factory=dict)

    def taken_from(self, body: JSON) -> JSON:
        """The known members of a body. Raises `RefusalError` naming every one that will not do."""
        wrong = [name for name, check in self.must.items() if not check(body.get(name))]
        wrong += [name for name, check in self.may.items() if name in body and not check(body[name])]
        if wrong:
            errors = [{"code": "member.unfit", "pointer": f"/{name}"} for name in wrong]
            raise RefusalError(UNFIT, f"Look at {', '.join(wrong)}.", errors=errors)
        return {name: body[name] for name in (*self.must, *self.may) if name in body}


_CUSTOMER: Final[dict[str, Check]] = {
    "email": EMAIL,
    "name": _text,
    "billing_address": _object,
    "metadata": _metadata,
    "default_payment_method_id": _text,
}
_ENDPOINT: Final[dict[str, Check]] = {"url": URL, "events": _list_of(_text), "description": _text}

NOTHING: Final = Shape()
PRODUCT: Final = Shape({"code": NAME, "name": _text}, {"description": _text, "tax_code": _text})
PLAN: Final = Shape(
    {"product_code": _text, "code": NAME, "currency": CURRENCY, "interval": _text},
    {"interval_count": _number, "trial_days": _number, "components": _list_of(_object)},
)
CUSTOMER: Final = Shape({"email": EMAIL}, _CUSTOMER)
CUSTOMER_CHANGE: Final = Shape(may=_CUSTOMER)
SUBSCRIPTION: Final = Shape({"customer_id": _text, "plan_code": _text}, {"metadata": _metadata, "trial_days": _number})
INVOICE: Final = Shape({"customer_id": _text, "currency": CURRENCY}, {"lines": _list_of(_line), "metadata": _metadata})
PAY: Final = Shape(may={"payment_method_id": _text, "source": lambda value: value == "wallet"})
REFUND: Final = Shape(may={"amount": AMOUNT, "reason": _text})
WALLET: Final = Shape({"customer_id": _text, "currency": CURRENCY})
CREDIT: Final = Shape({"amount": AMOUNT}, {"reason": _text, "external_id": _text})
ENDPOINT: Final = Shape({"url": URL, "events": _list_of(_text)}, _ENDPOINT)
ENDPOINT_CHANGE: Final = Shape(may={**_ENDPOINT, "status": lambda value: value in {"enabled", "disabled"}})
API_TOKEN: Final = Shape(
    {"audience": lambda value: value in {"service", "customer", "admin"}, "scopes": _list_of(_text)},
    {"name": _text, "aal": lambda value: value in {1, 2}, "customer_id": _text},
)
ACTOR: Final = Shape(may={"email": EMAIL, "name": _text, "role": _text})
