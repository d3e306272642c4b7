-- A direction of a road: its sites in the order of travel, and what its sensors call it.
create table way (
    id text collate "C" primary key,
    road text not null,
    direction text not null,
    sites text[] not null
);
