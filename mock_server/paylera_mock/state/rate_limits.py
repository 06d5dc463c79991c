"""Rate limits: a sliding window for each tenant, environment and group of routes (reference, Rate limits)."""

from __future__ import annotations

import math
import threading
from collections import deque

from paylera_fixtures.api.operations import ADMIN_PATH
from paylera_fixtures.vocabulary import Environment
from paylera_mock.core.policy import Allowance, Policy, RouteGroup

_MONEY = ("/v1/payments/", "/v1/refunds/", "/v1/payouts/")


def group_of(method: str, path: str) -> RouteGroup:
    """The group that a request counts in."""
    if path.startswith(ADMIN_PATH):
        return RouteGroup.ADMIN
    if method == "GET":
        return RouteGroup.READ
    if method == "POST" and path.startswith(_MONEY):
        return RouteGroup.MONEY
    return RouteGroup.WRITE


class RateLimiter:
    """The windows of one namespace. Thread-safe by a lock of its own, which is held for a moment only.

    Memory is bounded: a window remembers no more requests than its limit.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._lock = threading.Lock()
        self._windows: dict[tuple[str, Environment, RouteGroup], deque[float]] = {}

    def full_allowance(self, environment: Environment, group: RouteGroup, now: float) -> Allowance:
        """The whole limit, for a request that counts for no tenant."""
        limit = self._policy.rate(group, environment)
        return Allowance(group, limit, limit, math.ceil(now))

    def count(self, tenant: str, environment: Environment, group: RouteGroup, now: float) -> Allowance:
        """Count one request. One beyond the limit is not counted, so that waiting helps."""
        with self._lock:
            return self._count_in(self._window(tenant, environment, group), group, now)

    def copy(self) -> RateLimiter:
        """The same windows, so that one can count in them without counting."""
        limiter = RateLimiter(self._policy)
        with self._lock:
            limiter._windows = {key: deque(window, window.maxlen) for key, window in self._windows.items()}
        return limiter

    def full_at(self) -> float | None:
        """When the last window is full again, since the epoch; `None` where none was drawn on."""
        with self._lock:
            ends = [window[-1] + self._policy.rate_window_seconds for window in self._windows.values() if window]
        return max(ends, default=None)

    def _count_in(self, window: deque[float], group: RouteGroup, now: float) -> Allowance:
        limit = window.maxlen or 0
        horizon = now - self._policy.rate_window_seconds
        while window and window[0] <= horizon:
            window.popleft()
        if len(window) >= limit:
            wait = window[0] - horizon
            return Allowance(group, limit, 0, self._reset_second(window), retry_after=max(1, math.ceil(wait)))
        window.append(now)
        return Allowance(group, limit, limit - len(window), self._reset_second(window))

    def _window(self, tenant: str, environment: Environment, group: RouteGroup) -> deque[float]:
        key = (tenant, environment, group)
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = deque(maxlen=self._policy.rate(group, environment))
        return window

    def _reset_second(self, window: deque[float]) -> int:
        return math.ceil(window[-1] + self._policy.rate_window_seconds)
