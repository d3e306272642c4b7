-- What analytics makes of alarms that belong together. Rows change in the transaction that moves its cursors.
create table situation (
    id text collate "C" primary key,
    kind text not null,
    state text not null,
    level smallint not null,
    onset timestamptz not null,
    ended timestamptz,
    time timestamptz not null,
    sites text[] not null,
    data jsonb not null
);
create index situation_open on situation (onset, id) where state <> 'ended';
create index situation_by_onset on situation (onset, id);

create table situation_memory (
    name text collate "C" primary key,
    memory jsonb not null
);
