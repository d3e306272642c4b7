-- Who may ask: keys of people and systems, links that sign a browser in once, and the sessions they begin.
-- Only hashes are kept: what was given is shown once. docs/access.md has the words.
create table access_grant (
    id bigint generated always as identity primary key,
    use text not null check (use in ('key', 'link', 'session')),
    name text not null,
    hash bytea not null unique,
    scopes text[] not null,
    terminal text collate "C",              -- the terminal whose rows alone it sees; null: the whole port
    per_minute integer not null check (per_minute > 0),
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz,
    used_at timestamptz,
    revoked_at timestamptz
);
create index access_grant_by_name on access_grant (name);
