-- Alarms: what stands, the alarm about it, and every step of its life. docs/alarms.md has the words.

-- How far each follower of the feed has come; moved only in the transaction that stores what it made of the events.
create table feed_cursor (
    reader text primary key,
    event bigint not null,
    moved_at timestamptz not null default clock_timestamp()
);

-- Conditions that stand, with an alarm or without; over_at while an alarm waits for its off-delay.
create table condition (
    key text primary key,
    began_at timestamptz,
    over_at timestamptz,
    over_why text not null default '',
    condition jsonb not null,
    sites text[] collate "C" not null,
    recording text collate "C"
);

-- One row an alarm, from its condition until it is over and acknowledged; `version` counts its changes.
create table alarm (
    id bigint generated always as identity primary key,
    key text not null,
    version integer not null default 1,
    steps integer not null default 0,
    rule text not null,
    told jsonb not null,                    -- title, consequence, response as they were when it called
    arithmetic jsonb,
    condition jsonb not null,
    what text not null,
    subject text not null,
    sites text[] collate "C" not null,
    recording text collate "C",             -- the site whose recording it is; null where the wall's clock counts
    state text not null,
    active boolean not null,
    level smallint not null,
    peak smallint not null,
    priority text not null,
    since_at timestamptz,
    raised_at timestamptz,
    announced_at timestamptz,
    urgent_at timestamptz,
    escalated boolean not null,
    shelved_until timestamptz,
    suppressed_by text,
    out_of_service_by text,
    confirmed boolean,                      -- true or false alarm, as somebody said; null: nobody did
    closed_at timestamptz
);
create unique index alarm_open on alarm (key) where closed_at is null;
create index alarm_by_site on alarm using gin (sites);
create index alarm_by_age on alarm (closed_at) where closed_at is not null;

-- The audit trail: rows are only added. `at` is when it took effect, by the clock of the site.
create table alarm_transition (
    alarm bigint not null references alarm on delete cascade,
    number integer not null,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    who text not null,
    action text not null,
    why text not null,
    source text not null,
    target text not null,
    level smallint not null,
    priority text not null,
    active boolean not null,
    until timestamptz,
    said text[] not null default '{}',
    primary key (alarm, number)
);
create index alarm_announced on alarm_transition (at)
    where target = 'unacknowledged' and (source <> 'unacknowledged' or action = 'raise');

create table maintenance (
    id bigint generated always as identity primary key,
    range text not null check (range in ('sensor', 'site', 'terminal')),
    target text collate "C" not null,
    why text not null,
    who text not null,
    begins_at timestamptz not null,
    ends_at timestamptz not null,
    ended_by text,
    check (begins_at <= ends_at)
);
create index maintenance_by_end on maintenance (ends_at);

-- Who was on duty; the shift that has not ended is the present one.
create table shift (
    id bigint generated always as identity primary key,
    operator text not null,
    began_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    note text not null default ''
);
create unique index shift_present on shift ((true)) where ended_at is null;

create table flood (
    id bigint generated always as identity primary key,
    began_at timestamptz not null,
    ended_at timestamptz,
    most integer not null
);
create unique index flood_present on flood ((true)) where ended_at is null;

-- Answers to actions by their idempotency key, written in the transaction of the action: asked again, answered again.
create table answered (
    who text not null,
    key text not null,
    digest bytea not null,
    status smallint,
    etag text,
    body bytea,
    answered_at timestamptz not null default clock_timestamp(),
    primary key (who, key)
);
create index answered_by_age on answered (answered_at);
