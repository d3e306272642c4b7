"""What the API measures of itself: requests by route, open streams, clients that were too slow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.board import Board
from api.broadcast import Feed

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class RequestMetrics:
    """ASGI middleware: counts and times requests up to the first byte of the answer, by route and not by path."""

    def __init__(
        self, app: ASGIApp, registry: CollectorRegistry, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._monotonic = monotonic
        labels = ("method", "route", "status")
        self._requests = Counter("vigie_http_requests", "HTTP requests answered", labels, registry=registry)
        self._seconds = Histogram(
            "vigie_http_request_seconds", "Time to the first byte", ("route",), registry=registry, buckets=_SECONDS
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._monotonic()

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = _route(scope)
                self._requests.labels(scope["method"], route, message["status"]).inc()
                self._seconds.labels(route).observe(self._monotonic() - began)
            await send(message)

        await self._app(scope, receive, send_counted)


def _route(scope: Scope) -> str:
    """The route's template: a path of a stranger must not become a label."""
    return str(getattr(scope.get("route"), "path", "none"))


class StreamMetrics(Collector):
    """Open streams and dropped clients, read when somebody asks."""

    def __init__(self, feed: Feed, board: Board) -> None:
        self._feed = feed
        self._board = board

    def collect(self) -> Iterable[Metric]:
        streams = GaugeMetricFamily("vigie_http_streams", "Open event streams", labels=("stream",))
        streams.add_metric(("alerts",), self._feed.streams)
        streams.add_metric(("states",), self._board.viewers)
        yield streams
        yield CounterMetricFamily(
            "vigie_http_streams_dropped", "Clients of the alert stream that were too slow", value=self._feed.dropped
        )
