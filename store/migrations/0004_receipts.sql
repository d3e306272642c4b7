-- How far each sender's numbers are settled, written in the transaction that stores its readings. Receipts are made of it.
create table sequence (
    thing text collate "C" not null,
    boot bigint not null,                   -- -1 where the sender gives none
    begun bigint not null,                  -- the batch in which this boot was first seen
    highest bigint not null,
    given_up bigint not null,               -- gaps up to here are no longer waited for
    quarantined bigint[] not null,          -- the latest ones, which the receipt names
    changed_at timestamptz not null default clock_timestamp(),
    primary key (thing, boot)
) with (fillfactor = 50);

-- What is missing below the highest number of a boot; a row goes, or is cut, when the readings come after all.
create table sequence_gap (
    thing text collate "C" not null,
    boot bigint not null,
    first_seq bigint not null,
    last_seq bigint not null,
    seen_at timestamptz not null default clock_timestamp(),
    primary key (thing, boot, first_seq)
);

-- Numbers that were settled by the quarantine.
create table sequence_quarantined (
    thing text collate "C" not null,
    boot bigint not null,
    seq bigint not null,
    received_at timestamptz not null,
    primary key (thing, boot, seq)
);

-- Messages that did not become a row, by the UTC day of their measuring (quarantined: of their arrival).
create table account_day (
    day date not null,
    thing text collate "C" not null,
    duplicates bigint not null default 0,
    conflicts bigint not null default 0,
    quarantined bigint not null default 0,
    primary key (day, thing)
) with (fillfactor = 50);
