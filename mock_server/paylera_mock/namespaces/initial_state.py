"""What the default namespace begins with: what it has from the start, and a file where one is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

from paylera_fixtures.files import read_file
from paylera_mock.core.strict_json import parse_json
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
        return parse_json(read_file(path, _MOST_BYTES))
    except OSError as error:
        raise InvalidInputError("", f"this cannot be read: {error.strerror}") from None
