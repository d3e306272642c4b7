-- A terminal's key registers receivers of its own: each gets, and is seen by, that terminal alone.
alter table subscription add column terminal text collate "C"; -- null: the port's
