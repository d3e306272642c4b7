"""From what the store and the catalogue hold to the JSON shapes of `api/models`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar

import msgspec

from api.foresight import why_unknown
from api.models.catalogue import (
    ClockOut,
    CorridorOut,
    FieldOut,
    KindOut,
    LabelOut,
    ReceiptOut,
    SensorOut,
    SiteOut,
    TextOut,
)
from api.models.level_rules import level_rule
from api.models.readings import Readings
from api.models.states import Measured, StateOut
from sensors.alerts import schema_name
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.clock import describe_offset
from sensors.kind import Field, Kind, Kinds
from sensors.level import Abnormality, Level, Verdict
from sensors.rule import SpeedRatio
from store.api_rows import STEP_S, ClockRow, EventRow, ReadingsQuery, ReadingsTable, StandingRow, StateRow

_T = TypeVar("_T")


def site_out(site: Site) -> SiteOut:
    return SiteOut.model_validate(site)


def sensor_out(sensor: Sensor, catalogue: Catalogue, kinds: Kinds) -> SensorOut:
    """A sensor with what it takes from its site and kind where it has none of its own."""
    site = catalogue.site_by_id[sensor.site]
    kind = kinds.get(sensor.kind)
    own = {name: getattr(sensor, name) for name in Sensor.__struct_fields__}
    placed = sensor.latitude is not None and sensor.longitude is not None
    own |= {} if placed else {"latitude": site.latitude, "longitude": site.longitude}
    own["period_s"] = sensor.period_s or (kind.period_s if kind else None)
    own["kinds"] = list(kinds.published_by(sensor.kind))
    own["corridors"] = [corridor.id for corridor in catalogue.corridors if corridor.reader == sensor.id]
    return SensorOut.model_validate(own)


def clock_out(clock: ClockRow) -> ClockOut:
    return ClockOut(
        offset_s=clock.offset_s,
        measured_at=clock.measured_at,
        whole_hours=clock.whole_hours,
        remark=describe_offset(clock.offset_s),
    )


def receipt_out(row: StandingRow) -> ReceiptOut:
    return ReceiptOut(
        sensor=row.thing,
        boot=None if row.boot < 0 else row.boot,
        settled=row.settled,
        highest=row.highest,
        missing=row.missing,
        quarantined=row.quarantined,
        at=row.changed_at,
    )


def corridors_out(catalogue: Catalogue) -> list[CorridorOut]:
    return [CorridorOut.model_validate(corridor) for corridor in catalogue.corridors]


def kind_out(kind: Kind) -> KindOut:
    return KindOut(
        name=kind.name,
        title=LabelOut.model_validate(kind.title),
        period_s=kind.period_s,
        subject=kind.subject,
        part_of=kind.part_of or None,
        chart=kind.chart or None,
        fields=fields_out(kind.fields),
        texts=[TextOut.model_validate(text) for text in kind.texts],
        level=level_rule(kind.level),
    )


def fields_out(fields: Iterable[Field]) -> list[FieldOut]:
    return [FieldOut.model_validate(field) for field in fields]


class Installation(NamedTuple):
    """What has a state: a sensor or corridor, with its kind and site."""

    thing: str
    kind: Kind
    site: str


def installations(catalogue: Catalogue, kinds: Kinds) -> Iterator[Installation]:
    """Sensors, then corridors, in their order; a kind that is no longer defined hides its sensors."""
    for sensor in catalogue.sensors:
        if sensor.kind in kinds:
            yield Installation(sensor.id, kinds[sensor.kind], sensor.site)
    kind = corridor_kind(kinds)
    if kind is not None:
        yield from (Installation(corridor.id, kind, corridor.to_site) for corridor in catalogue.corridors)


def corridor_kind(kinds: Kinds) -> Kind | None:
    """The kind of readings that corridors have."""
    return next((kind for kind in kinds.values() if kind.subject == "corridor"), None)


def state_out(of: Installation, row: StateRow | None) -> StateOut:
    """What is known of it; without a row it never spoke and is unknown."""
    thing, kind, site = of
    unknown = Level.UNKNOWN.label if kind.level else None
    if row is None:
        return StateOut.model_construct(
            sensor=thing,
            kind=kind.name,
            site=site,
            level=unknown,
            since=None,
            time=None,
            verdict=Verdict.UNKNOWN.value,
            abnormality=None,
            abnormality_reason=None,
            usual=None,
            deviations=None,
            coverage=None,
            value=None,
            reading={},
        )
    return StateOut.model_construct(
        sensor=thing,
        kind=kind.name,
        site=site,
        level=Level(row.level).label if kind.level and row.level is not None else unknown,
        since=row.since,
        time=row.time,
        verdict=row.verdict,
        abnormality=None if row.abnormality is None else Abnormality(row.abnormality).label,
        abnormality_reason=why_unknown(row.abnormality, row.usual),
        usual=_usual(kind, row),
        deviations=row.z,
        coverage=row.coverage,
        value=_measured(kind, row),
        reading=row.reading,
    )


def _usual(kind: Kind, row: StateRow) -> Measured | None:
    if row.usual is None or not isinstance(kind.level, SpeedRatio):
        return None
    speed = kind.field(kind.level.speed)
    return Measured.model_construct(field=speed.name, unit=speed.unit, value=row.usual)


def _measured(kind: Kind, row: StateRow) -> Measured | None:
    if kind.chart not in kind.field_names:
        return None
    value = row.reading.get(kind.chart)
    number = value if isinstance(value, int | float) else None
    return Measured.model_construct(field=kind.chart, unit=kind.field(kind.chart).unit, value=number)


def alert_json(row: EventRow) -> str:
    """An event as the JSON of `api.models.alerts.Alert`; its data exactly as it was recorded."""
    alert = {
        "specversion": "1.0",
        "id": str(row.id),
        "source": "/vigie",
        "type": row.type,
        "subject": row.subject,
        "time": row.time,
        "datacontenttype": "application/json",
        "dataschema": schema_name(row.type),
        "data": row.data,
    }
    return msgspec.json.encode(alert).decode()


def readings_out(query: ReadingsQuery, table: ReadingsTable, *, step_s: float) -> Readings:
    """At most `query.limit` points: the store was asked for one more to know whether there is a rest."""
    rest = table.time[query.limit] if len(table.time) > query.limit else None
    return Readings.model_construct(
        sensor=query.thing,
        kind=query.kind.name,
        resolution=query.resolution,
        step_s=STEP_S.get(query.resolution, step_s),
        start=query.start,
        end=query.end,
        fields=fields_out(query.kind.fields),
        time=table.time[: query.limit],
        values=_cut(table.values, query.limit),
        low=_cut(table.low, query.limit),
        high=_cut(table.high, query.limit),
        coverage=table.coverage[: query.limit] if table.coverage is not None else None,
        revised=table.revised[: query.limit] if table.revised is not None else None,
        quality=table.quality[: query.limit] if table.quality is not None else None,
        texts=_cut(table.texts, query.limit),
        next=rest,
    )


def _cut(columns: dict[str, list[_T]] | None, limit: int) -> dict[str, list[_T]] | None:
    return {name: column[:limit] for name, column in columns.items()} if columns is not None else None
