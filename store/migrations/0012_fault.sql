-- What is wrong with a sensor, a site or a basin at present, as analytics found it. Rows go when it is over; the feed
-- keeps both. Written in the transaction that moves the cursors.
create table fault (
    place text collate "C" not null,
    fault text not null,
    scope text not null check (scope in ('sensor', 'site', 'basin')),
    site text,
    kind text,
    since timestamptz not null,
    found_at timestamptz not null,
    primary key (place, fault)
);
