-- Receivers of alerts. No secret is stored: it is made from the salt and the installation's key, which is not here.
create table subscription (
    id bigint generated always as identity primary key,
    version integer not null default 1,
    kind text not null check (kind in ('webhook', 'email')),
    name text not null,
    target text not null,                   -- URL, or address
    choice jsonb not null,                  -- which events: store.subscriptions.Wanted
    heartbeat boolean not null,
    language text not null,
    state text not null check (state in ('pending', 'active', 'paused', 'disabled')),
    why text not null default '',           -- why it is disabled
    cursor bigint not null,                 -- the last event that was delivered or is not wanted
    salt bytea not null,
    old_salt bytea,                         -- signs as well until old_until
    old_until timestamptz,
    code text,                              -- what a mail address must send back to be verified, and until when
    code_until timestamptz,
    failures integer not null default 0,    -- in a row
    failing_since timestamptz,
    next_at timestamptz,                    -- not before
    delivered_at timestamptz,
    created_by text not null,
    created_at timestamptz not null default clock_timestamp()
);

-- Every try, for people to read; kept for a month.
create table delivery (
    id bigint generated always as identity primary key,
    subscription bigint not null references subscription on delete cascade,
    message text not null,                  -- id of the message: that of its event, the same at every try
    what text not null check (what in ('alert', 'again', 'test', 'challenge')),
    at timestamptz not null,
    delivered boolean not null,
    status integer,
    error text,
    duration_ms real not null,
    answer text not null
);
create index delivery_by_subscription on delivery (subscription, id);
create index delivery_by_age on delivery (at);

-- By which processes know that they sign with the same key; one row.
create table signing_key (
    only_one boolean primary key default true check (only_one),
    fingerprint bytea not null
);
