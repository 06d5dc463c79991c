"""The dashboard: pages by which people see and steer a fake, at `/_mock/ui`.

What a page shows and does it asks of the control API, in process: whatever a page does, a test can do. A view is a
module of `views` and its templates, and has a row in `views.VIEWS`.
"""

from __future__ import annotations

from paylera_mock.dashboard.dashboard import Dashboard
from paylera_mock.dashboard.messages import PageRequest

__all__ = ["Dashboard", "PageRequest"]
