-- The books of ingest. The readings themselves live in one hypertable per kind, made from the kinds' definitions.
create sequence batch_number;

-- One number per transaction. A slot has one transaction in flight, so within a slot numbers are in commit order.
-- A batch whose readings lie far apart in time has several rows per kind, so that each can be read by the time index.
create table batch (
    batch bigint not null,
    slot smallint not null,
    kind text not null,
    min_time timestamptz not null,
    max_time timestamptz not null,
    rows integer not null,
    committed_at timestamptz not null default clock_timestamp(),
    primary key (slot, batch, kind, min_time)
);

-- How far each reader has come in each slot; advanced only in the transaction that stores what the reader made of it.
create table cursor (
    reader text not null,
    slot smallint not null,
    batch bigint not null,
    primary key (reader, slot)
);

-- What became of every message, per site; '' collects the messages of sites that nobody knows.
create table account (
    site text collate "C" primary key,
    committed bigint not null default 0,
    duplicates bigint not null default 0,
    conflicts bigint not null default 0,
    quarantined bigint not null default 0
) with (fillfactor = 50);

-- Readings that name the key of a stored one with other values; the digest keeps a repetition from being a new entry.
create table conflict (
    kind text not null,
    sensor text collate "C" not null,
    time timestamptz not null,
    received_at timestamptz not null,
    batch bigint not null,
    reading jsonb not null,
    digest text not null generated always as (md5(reading::text)) stored,
    primary key (kind, sensor, time, digest)
);

-- What could not be decoded, identified or timed. A broker may deliver a message again and a broken sender repeats
-- itself for days: the same bytes on the same topic for the same reason are one entry, with how often and until when.
create table quarantine (
    id bigint generated always as identity primary key,
    received_at timestamptz not null,
    last_received_at timestamptz not null,
    times bigint not null default 1,
    topic text not null,
    payload bytea not null,
    reason text not null,
    detail text not null,
    site text,
    thing text,
    digest bytea not null unique
);
create index quarantine_by_age on quarantine (last_received_at);

create table device_health (
    sensor text collate "C" not null,
    time timestamptz not null,
    battery_v real,
    rssi_dbm real,
    firmware text,
    unique (sensor, time)
);
select create_hypertable('device_health', by_range('time', interval '28 days'));
