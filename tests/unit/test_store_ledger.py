from __future__ import annotations

import numpy as np

from ingest.columns import Quarantined
from sensors.payload import Reason
from store.ledger import Account, Tally


def test_every_message_is_counted_in_exactly_one_way() -> None:
    tally = Tally()
    tally.readings(["a", "a", "b"], None)
    tally.readings(["a", "b", "b"], np.array([0, 1, 2], np.int8))
    tally.quarantined([Quarantined("t", b"", Reason.TOPIC, "", 0, None, None, 0)])
    assert tally.sites == {"a": Account(3), "b": Account(1, 1, 1), "": Account(quarantined=1)}
    assert tally.total() == Account(4, 1, 1, 1)
