"""JSON in its short form, as bodies have it."""

from __future__ import annotations

import json
from typing import Final

# ASCII only: any text can be written then, and half a surrogate pair with it.
encode_json: Final = json.JSONEncoder(separators=(",", ":")).encode
