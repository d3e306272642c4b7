-- The quarantine keeps redacted payloads. `length` is that of the payload that came; `whole` says that the payload kept
-- is it and can be decoded again. What was re-ingested stays, with when.
alter table quarantine
    add column length integer,
    add column whole boolean not null default true,
    add column redacted boolean not null default false,
    add column content_type text,
    add column repaired_at timestamptz,
    add column bytes integer generated always as
        (200 + octet_length(payload) + octet_length(topic) + octet_length(detail)) stored;
update quarantine set length = octet_length(payload);
alter table quarantine alter column length set not null;
create index quarantine_by_thing on quarantine (thing, id);

-- What the bound on its size has made the quarantine forget; one row.
create table quarantine_dropped (
    only_one boolean primary key default true check (only_one),
    entries bigint not null,
    newest timestamptz not null,
    dropped_at timestamptz not null
);

-- The last raw payloads of each sensor, redacted, as rings: `place` is reused. A help for engineers and no data, so
-- nothing is written ahead for it: after a crash of the database they begin anew.
create unlogged table raw_ring (
    thing text collate "C" primary key,
    written bigint not null
) with (fillfactor = 60);
create unlogged table raw_payload (
    thing text collate "C" not null,
    place smallint not null,
    received_at timestamptz not null,
    topic text not null,
    payload bytea not null,
    length integer not null,
    redacted boolean not null,
    reason text,
    primary key (thing, place)
) with (fillfactor = 60);
