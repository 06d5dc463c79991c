"""The OpenAPI document, written once for each policy, address and form."""

from __future__ import annotations

import json
from functools import lru_cache

from paylera_mock.core.policy import Policy


@lru_cache(maxsize=32)
def document(policy: Policy, base_url: str, versions: tuple[str, ...], form: str) -> bytes:
    """The document in bytes; `form` is `json` or `yaml`. Bounded, since whoever asks chooses the address."""
    # Imported when the document is first asked for, for the sake of start-up time.
    from paylera_fixtures.api.openapi import build  # noqa: PLC0415

    text = json.dumps(
        build(policy.profile, base_url=base_url, versions=versions, **policy.readings), separators=(",", ":")
    )
    if form == "yaml":
        import yaml  # noqa: PLC0415 - start-up time, as above

        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        text = yaml.dump(json.loads(text), Dumper=dumper, sort_keys=False, allow_unicode=True)
    return text.encode()
