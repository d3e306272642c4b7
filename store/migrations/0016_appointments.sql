-- The slot plan of a terminal, as its booking system last gave it.
create table appointment (
    terminal text collate "C" not null references terminal,
    hour timestamptz not null,
    booked integer not null check (booked >= 0),
    changed_at timestamptz not null,
    primary key (terminal, hour)
);
