-- A stretch of road from which lorries are banned and the sections that they are sent over, by the ids of sections.
create table ban (
    id text collate "C" primary key,
    name text not null,
    stretch text[] not null,
    detour text[] not null,
    objective double precision not null check (objective > 0 and objective <= 1)
);
