"""The histogram of analysers says what prometheus_client's own would say."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Histogram, generate_latest

from proctoring.session.analyser_times import NAME, AnalyserTimes

BOUNDS = (0.001, 0.01, 2.5)
FRAMES = ({"decode": 0.2, "faces": 1.0}, {"decode": 10.0, "faces": 10.1, "liveness": 9000.0})


def exported(registry: CollectorRegistry) -> set[str]:
    """Lines of the export, without the times at which histograms were created."""
    lines = generate_latest(registry).decode().splitlines()
    return {line for line in lines if "_created" not in line}


def test_the_export_equals_that_of_a_histogram_by_label() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    times = AnalyserTimes(BOUNDS, ours)
    text = "Time one analyser took for one frame"
    histogram = Histogram(NAME, text, ["analyser"], buckets=BOUNDS, registry=theirs)
    for frame in FRAMES:
        times.observe(frame)
        for analyser, milliseconds in frame.items():
            histogram.labels(analyser).observe(milliseconds / 1000)
    assert exported(ours) == exported(theirs)
    assert f'{NAME}_bucket{{analyser="liveness",le="+Inf"}} 1.0' in exported(ours)
