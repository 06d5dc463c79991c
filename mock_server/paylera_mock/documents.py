"""The OpenAPI document, written once for each profile, address and form."""

from __future__ import annotations

import json
from functools import lru_cache

from paylera_fixtures.vocabulary import Profile


@lru_cache(maxsize=32)
def document(profile: Profile, base_url: str, form: str) -> bytes:
    """The document in bytes; `form` is `json` or `yaml`. Bounded, since whoever asks chooses the address."""
    # Imported when first asked for: a fake must be ready in a blink.
    from paylera_fixtures.openapi import build  # noqa: PLC0415

    found = build(profile, base_url=base_url)
    return json.dumps(found, separators=(",", ":")).encode() if form == "json" else _yaml(found)


def _yaml(found: object) -> bytes:
    import yaml  # noqa: PLC0415 - as above

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(json.loads(json.dumps(found)), Dumper=dumper, sort_keys=False, allow_unicode=True)
    return text.encode()
