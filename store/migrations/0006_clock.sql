-- How far the clock of each sensor (or corridor) is ahead of ours, negative when it is behind, as ingest last told it.
-- whole_hours where somebody set a time zone or daylight saving wrong.
create table sensor_clock (
    sensor text collate "C" primary key,
    offset_s double precision not null,
    measured_at timestamptz not null,
    whole_hours smallint
);
