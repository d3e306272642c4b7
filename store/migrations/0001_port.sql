-- What is installed: the catalogue as the database knows it. Columns are those of sensors/catalogue.py.
create table terminal (
    code text primary key,
    locode text not null,
    name text not null
);

create table site (
    id text collate "C" primary key,
    name text not null,
    basin text not null,
    latitude double precision,
    longitude double precision,
    position_accuracy_m double precision,
    clock text not null default 'wall' check (clock in ('wall', 'recording')),
    timezone text not null default 'Europe/Paris',
    terminal text references terminal
);

create table sensor (
    id text collate "C" primary key,
    site text collate "C" not null references site,
    kind text not null,
    name text not null default '',
    latitude double precision,
    longitude double precision,
    position_km double precision,
    road text,
    direction text,
    lane integer,
    period_s double precision,
    free_speed_kmh double precision,
    capacity double precision,
    storage_m double precision,
    lanes integer
);
create index sensor_by_site on sensor (site);

create table corridor (
    id text collate "C" primary key,
    from_site text collate "C" not null references site,
    to_site text collate "C" not null references site,
    reader text collate "C" not null references sensor,
    length_km double precision not null
);

create table section (
    id text collate "C" primary key,
    from_site text collate "C" not null references site,
    to_site text collate "C" not null references site,
    road text not null,
    length_km double precision not null,
    lanes integer not null,
    free_speed_kmh double precision not null,
    storage_m double precision not null
);

-- Road closeness between sensors, 0 to 1, where a recording brought it.
create table neighbour (
    sensor text collate "C" not null references sensor on delete cascade,
    neighbour text collate "C" not null references sensor on delete cascade,
    closeness real not null,
    primary key (sensor, neighbour)
);

-- What is usual from start_s (second of the ISO week, UTC) on, one value every interval_s; null where unknown.
create table usual_speed (
    sensor text collate "C" primary key references sensor on delete cascade,
    interval_s integer not null,
    start_s integer not null,
    speed_kmh real[] not null
);
