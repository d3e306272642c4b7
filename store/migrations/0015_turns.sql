-- What is kept of the visits at a terminal when their numbers are forgotten: for each hour the turns that ended in it, in
-- seconds and in ascending order, and what could not be paired. `open` came in and is not out yet.
create table turn_hour (
    terminal text collate "C" not null references terminal,
    hour timestamptz not null,
    turns_s integer[] not null,
    open integer not null,
    unpaired_in integer not null,
    unpaired_out integer not null,
    primary key (terminal, hour)
);
