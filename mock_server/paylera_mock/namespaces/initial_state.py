"""What the default namespace is filled with: what it has from the start, and a file where one is given."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from paylera_mock.namespaces import snapshot
from paylera_mock.namespaces.file_errors import LoadError, kind_of
from paylera_mock.namespaces.well_known import seed_default
from paylera_mock.state.namespace_state import State

Filling: TypeAlias = Callable[[State], str]
"""Fills an empty world, and gives its main tenant."""


def filling_from(path: Path) -> Filling:
    """What a file asks for: a snapshot is the whole world, a seed file comes on top of what there is from the start.

    Raises `LoadError` where it cannot be read, as does the filling where the file's parts do not go together.
    """
    data = _parsed(path)
    kind = kind_of(data)
    if kind == snapshot.KIND:
        taken = snapshot.read(data)
        return lambda state: snapshot.fill(state, taken)
    from paylera_mock.namespaces import seed_file  # noqa: PLC0415 - most fakes never need it

    if kind != seed_file.KIND:
        raise LoadError("kind", f'this must be "{snapshot.KIND}" or "{seed_file.KIND}"')
    seed = seed_file.read(data)

    def fill(state: State) -> str:
        state.main_tenant = seed_default(state)
        seed_file.sow(state, seed)
        return state.main_tenant

    return fill


def _parsed(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes().decode(), object_pairs_hook=_no_twins)
    except json.JSONDecodeError as error:
        raise LoadError(f"line {error.lineno}, column {error.colno}", f"this is no JSON: {error.msg}") from None
    except UnicodeDecodeError:
        raise LoadError("", "this is no JSON: it is not UTF-8") from None
    except RecursionError:
        raise LoadError("", "this is nested too deep") from None
    except OSError as error:
        raise LoadError("", f"this cannot be read: {error.strerror}") from None


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise LoadError(twin, "this member is there twice in one object: leave one out")
    return found
