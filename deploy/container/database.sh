#!/bin/sh
# Runs once, when the volume of the database is new: the role of Vigie, which is no superuser, and its database.
set -eu
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\set password `cat "${SECRETS:-/run/secrets}/database_vigie_password"`
create role vigie login createrole password :'password';
-- template0: in the image's template1 the extension is there already and belongs to the superuser.
create database vigie owner vigie template template0;
SQL
