-- A clock that is whole hours off: by how many its readings are put right, also after a restart.
alter table fault add column ahead_h smallint; -- behind below 0; null: another fault, or not whole hours
