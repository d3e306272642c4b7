-- What of a batch did not become a row, by sensor or corridor: analytics recognises faults of senders by it. `what` is
-- duplicate, conflict, or a reason of the quarantine; times of measuring only where they could be read.
create table batch_trouble (
    slot smallint not null,
    batch bigint not null,
    thing text collate "C" not null,
    what text not null,
    times integer not null,
    first_received_at timestamptz not null,
    last_received_at timestamptz not null,
    min_time timestamptz,
    max_time timestamptz,
    primary key (slot, batch, thing, what)
);
