-- Limits of a sensor's level instead of those of its kind, all three or none.
alter table sensor add column dense double precision;
alter table sensor add column congested double precision;
alter table sensor add column jammed double precision;
alter table sensor add constraint sensor_limits_rise check (
    num_nulls(dense, congested, jammed) = 3
    or (num_nulls(dense, congested, jammed) = 0 and dense < congested and congested < jammed)
);
