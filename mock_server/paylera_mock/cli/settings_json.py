"""`FakeSettings` from the values of options, and as the text by which `exec` passes them to the `serve` it starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from paylera_mock.server.settings import FakeSettings


def convert_settings(values: Mapping[str, Any]) -> FakeSettings:
    """The settings of which each member has its plain value, as click gives it."""
    return msgspec.convert(values, FakeSettings)


def encode_settings(settings: FakeSettings) -> str:
    """Settings as JSON. No secret is in it: the control token is a reference."""
    return msgspec.json.encode(settings, enc_hook=str).decode()


def decode_settings(text: str) -> FakeSettings:
    """What `encode_settings` wrote. Raises `ValueError` for anything else."""
    # Of the types of the members msgspec knows all but `Path`.
    return msgspec.json.decode(text, type=FakeSettings, dec_hook=lambda kind, value: kind(value))
