"""Metrics that are read from the running service when Prometheus scrapes. They name no session."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from proctoring.errors import OverloadedError, TooManyError
from proctoring.server.connections import Refusal
from proctoring.server.service import Service


class ServiceCollector(Collector):
    """Gauges and counters of one service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Read the present values."""
        service = self._service
        pool, outbox = service.pool, service.outbox
        gauges = {
            "sessions": ("Sessions open now", service.open_sessions),
            "listeners": ("Sockets that listen to events", outbox.listeners()),
            "workers": ("Threads that analyse", service.settings.workers),
            "workers_busy_ratio": (
                "Share of the workers' CPU capacity in use",
                pool.demand.busy,
            ),
            "wait_seconds": ("90th percentile of waits for a worker", pool.demand.wait),
            "waiting_sessions": ("Sessions that wait for a worker now", pool.waiting),
            "events_waiting": ("Entries that wait to be written down", outbox.waiting),
            "rate_ratio": ("Share of the full rate that all sessions together allow", pool.rate),
            "workers_needed_ratio": (
                "Share of the workers' CPU capacity that all sessions would use at the full rate",
                pool.needed,
            ),
            "accepting": ("1 while new sessions may begin", float(service.refusal is None)),
            "connections": ("Connections open now", len(service.connections)),
            "message_memory_bytes": (
                "Messages that have arrived in part, of all sockets",
                service.connections.held,
            ),
            "slowed_sessions": (
                "Sessions analysed at less than the full rate",
                service.slowed_sessions,
            ),
        }
        if service.cluster is not None:
            gauges |= {
                "forwarded_sockets": (
                    "Sockets forwarded to other servers now",
                    len(service.cluster.forwards),
                ),
                "suspended": (
                    "1 while the server is cut from the database, and others go on",
                    float(service.cluster.is_suspended),
                ),
            }
        for name, (text, value) in gauges.items():
            yield GaugeMetricFamily(f"proctoring_{name}", text, value=value)
        counters = {
            "events": ("Events handed out", outbox.published),
            "events_lost": ("Events that could not be written down", outbox.lost),
            "slow_listeners": ("Listeners dropped because they were slow", outbox.dropped),
            "fenced_writes": (
                "Events and ends that were dropped since another server owns the session",
                outbox.fenced,
            ),
            "step_failures": ("Steps of sessions that failed", pool.failures),
            "sockets_refused": (
                "Sockets beyond those that a session or a token may have",
                service.socket_counts.refused,
            ),
        }
        if (cluster := service.cluster) is not None:
            counters |= {
                "forwards": (
                    "Requests and sockets forwarded to other servers",
                    cluster.forwards.count,
                ),
            }
        for name, (text, value) in counters.items():
            yield CounterMetricFamily(f"proctoring_{name}", text, value=value)
        cut = CounterMetricFamily(
            "proctoring_connections_refused",
            "Connections that were cut or not accepted",
            labels=["reason"],
        )
        for reason in Refusal:
            cut.add_metric([reason.value], service.connections.refused[reason])
        yield cut
        refused = CounterMetricFamily(
            "proctoring_sessions_refused", "New sessions that were refused", labels=["reason"]
        )
        for code in (TooManyError.code, OverloadedError.code):
            refused.add_metric([code], service.refused_sessions.get(code, 0))
        yield refused
        available = GaugeMetricFamily(
            "proctoring_capability_available", "1 where a capability is on", labels=["name"]
        )
        for capability in service.capabilities:
            available.add_metric([capability.name], float(capability.available))
        yield available


def register(service: Service) -> None:
    """Add metrics of the service, the process and the interpreter to the service's registry."""
    registry: CollectorRegistry = service.metrics
    registry.register(ServiceCollector(service))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
