"""Judging what was seen of the broker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ingest.examination import BrokerFacts
from ingest.transport import MAX_PACKET_BYTES
from service.doctor.finding import Finding, well

_RENEW = timedelta(days=30)
"""Before a certificate ends: shorter leaves no time where another office signs it."""


def broker(facts: BrokerFacts, label: str) -> Finding:
    seen = (
        f"{label} answers{f', {facts.version}' if facts.version else ''}, takes {_size(facts.largest_bytes)} a message"
    )
    if facts.largest_bytes is None or facts.largest_bytes > MAX_PACKET_BYTES:
        remedy = f"set its largest packet to {MAX_PACKET_BYTES} (mosquitto: max_packet_size {MAX_PACKET_BYTES})"
        return Finding("broker", "warning", f"{seen}: more than ingest takes, and would never deliver it", remedy)
    return well("broker", seen)


def _size(largest_bytes: int | None) -> str:
    return "any size" if largest_bytes is None else f"{largest_bytes} bytes"


def queue(facts: BrokerFacts) -> Finding:
    if facts.kept == facts.sent:
        return well("queue", f"it kept {facts.kept} of {facts.sent} messages for a reader that was away")
    seen = (
        f"it kept {facts.kept} of {facts.sent} messages for a reader that was away and dropped the rest without a word"
    )
    remedy = "bound its queue by bytes instead (mosquitto: max_queued_messages 0, max_queued_bytes 268435456)"
    return Finding("queue", "wrong", seen, remedy)


def certificate(until: datetime | None, now: datetime, *, loopback: bool) -> Finding:
    if until is None:
        if loopback:
            return well("certificate", "no TLS, and none is needed: the broker is on this machine")
        remedy = "give it a certificate and write the broker's URL with mqtts://"
        return Finding("certificate", "warning", "no TLS: passwords and readings can be read on the way", remedy)
    seen = f"the broker's certificate is good until {until:%F}"
    if until - now < _RENEW:
        return Finding("certificate", "warning", seen, "renew it (compose: deploy/init --renew) and restart the broker")
    return well("certificate", seen)


def unusable(label: str, why: str) -> Iterator[Finding]:
    """What is said when the broker could not be used."""
    remedy = "is it running? does broker_url name it, its user and its password?"
    if "certificate" in why:
        remedy = "compose: deploy/init --renew; elsewhere renew it, or name its authority with ?ca_file= in broker_url"
        yield Finding("certificate", "wrong", f"{label}: {why}", remedy)
    yield Finding("broker", "wrong", f"{label}: {why}", remedy)
