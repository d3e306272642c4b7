from prometheus_client import CollectorRegistry

from ingest.columns import Outcome
from ingest.counters import Commit
from service.metrics import IngestMetrics


def test_remarks_are_counted_by_their_words_and_clocks_shown_as_they_are() -> None:
    registry = CollectorRegistry()
    metrics = IngestMetrics(registry)
    for late, off in ((2, 5), (3, 1)):
        remarks = {"late": late, "rate": 1}
        metrics.committed(Commit(4, 9, Outcome(9, 0, 0, 0), {}, 0.001, 0.001, 0.01, remarks, clocks_off=off))
    assert registry.get_sample_value("vigie_ingest_remarks_total", {"slot": "4", "remark": "late"}) == 5
    assert registry.get_sample_value("vigie_ingest_remarks_total", {"slot": "4", "remark": "rate"}) == 2
    assert registry.get_sample_value("vigie_ingest_clocks_off", {"slot": "4"}) == 1
