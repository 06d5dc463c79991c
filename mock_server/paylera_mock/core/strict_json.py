"""JSON in the strict sense: UTF-8, no name twice in one object, and no number that JSON does not have."""

from __future__ import annotations

import json
import math
import sys
from typing import Any, Final

from paylera_mock.core.typed_json import InvalidInputError


def parse_json(content: bytes) -> Any:
    """What JSON says. Raises `InvalidInputError` for what is none, or what lenient readers alone take."""
    try:
        data = _DECODER.decode(content.decode())
        if b"\\u" in content:  # it can spell half a surrogate pair, which is no Unicode text: encoding refuses it
            json.dumps(data, ensure_ascii=False).encode()
    except InvalidInputError:
        raise
    except json.JSONDecodeError as error:
        raise InvalidInputError(f"line {error.lineno}, column {error.colno}", f"this is no JSON: {error.msg}") from None
    except UnicodeEncodeError:
        raise InvalidInputError("", "half a surrogate pair stands in it, which is no text: leave it out") from None
    except UnicodeDecodeError:
        raise InvalidInputError("", "this is no JSON: it is not UTF-8") from None
    except RecursionError:
        raise InvalidInputError("", "this is nested too deep") from None
    except ValueError:
        raise InvalidInputError("", f"a number in it has more than {sys.get_int_max_str_digits()} digits") from None
    return data


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        for name, _ in pairs:
            if members.pop(name, members) is members:  # it was taken out already
                raise InvalidInputError(name, "this member is there twice in one object: leave one out")
    return members


def _refuse_number(text: str) -> float:
    raise InvalidInputError("", f"{text} stands in it, which is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise InvalidInputError("", "a number in it is too large to be one")
    return number


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_number, parse_float=_finite)
