"""What the default namespace begins with: what it has from the start, and a file where one is given."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

from paylera_fixtures.files import read_file
from paylera_mock.core.typed_json import InvalidInputError, convert_json
from paylera_mock.namespaces import snapshot
from paylera_mock.namespaces.well_known import seed_default
from paylera_mock.state.namespace_state import State

_MOST_BYTES: Final = 1024 * 1024 * 1024

FillState: TypeAlias = Callable[[State], str]
"""Fills an empty state, and gives its main tenant."""


def load_initial_state(path: Path) -> FillState:
    """What a file begins with: a snapshot is the whole state, a seed file comes on top of what there is anyway.

    Raises `InvalidInputError` where it cannot be read, as does what it gives where the file's parts do not go together.
    """
    data = _read_file(path)
    if not isinstance(data, dict):
        raise InvalidInputError("", 'this must be a JSON object with "schema" and "kind"')
    if data.get("schema") != 1:
        raise InvalidInputError("schema", "this must be 1; a file of a later schema needs a later paylera-mock")
    if data.get("kind") == snapshot.KIND:
        # Imported where one is loaded, since most fakes never need it.
        from paylera_mock.namespaces.snapshot_check import parse_snapshot  # noqa: PLC0415

        saved = parse_snapshot(data)
        return lambda state: snapshot.restore_state(state, saved)
    # Imported where one is loaded, since most fakes never need it.
    from paylera_mock.namespaces import seed_file  # noqa: PLC0415

    if data.get("kind") != seed_file.KIND:
        raise InvalidInputError("kind", f'this must be "{snapshot.KIND}" or "{seed_file.KIND}"')
    seed = convert_json(data, seed_file.SeedFile)

    def fill(state: State) -> str:
        state.main_tenant = seed_default(state)
        seed_file.fill_from_seed(state, seed)
        return state.main_tenant

    return fill


def _read_file(path: Path) -> Any:
    try:
        text = read_file(path, _MOST_BYTES).decode()
        data = json.loads(text, object_pairs_hook=_refuse_twins, parse_constant=_refuse_number, parse_float=_finite)
        # JSON can spell half a surrogate pair, which is no Unicode text: encoding refuses it.
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
    except OSError as error:
        raise InvalidInputError("", f"this cannot be read: {error.strerror}") from None
    except ValueError:
        raise InvalidInputError("", f"a number in it has more than {sys.get_int_max_str_digits()} digits") from None
    return data


def _refuse_number(text: str) -> float:
    raise InvalidInputError("", f"{text} stands in it, which is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise InvalidInputError("", "a number in it is too large to be one")
    return number


def _refuse_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidInputError(name, "this member is there twice in one object: leave one out")
        found[name] = value
    return found
