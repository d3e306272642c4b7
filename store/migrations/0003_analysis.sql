-- What analytics makes of the readings. State, memory, events and cursors change in one transaction.
create table state (
    sensor text collate "C" primary key,
    time timestamptz,
    level smallint,
    since timestamptz,
    verdict text not null,
    value jsonb not null,
    updated_at timestamptz not null
);

create table detector (
    sensor text collate "C" primary key,
    memory jsonb not null,
    updated_at timestamptz not null
);

-- The one feed. Ids are taken under a lock held until commit, so the order of ids is the order of commits.
create sequence event_number;
create table event (
    id bigint primary key,
    time timestamptz not null,
    type text not null,
    subject text not null,
    data jsonb not null,
    recorded_at timestamptz not null default clock_timestamp()
);
create index event_by_subject on event (subject, id);
create index event_by_age on event (recorded_at);
