-- Kinds whose hours and days are still to be made of the 5-minute means that were there before them: those from `before`
-- on are done. Upkeep goes back in time, a week a step, and removes the row at the end.
create table rollup_backfill (
    kind text primary key,
    before timestamptz not null
);
