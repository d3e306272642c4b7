#!/bin/sh
# Runs once, when the volume of the database is new: the role of Vigie, which is no superuser, its database, and the role
# that Grafana reads with. What that one may read is granted by migrations.
set -eu
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\set password `cat "${SECRETS:-/run/secrets}/database_vigie_password"`
\set reader_password `cat "${SECRETS:-/run/secrets}/database_grafana_password"`
create role vigie login password :'password';
create role vigie_grafana login connection limit 20 password :'reader_password';
alter role vigie_grafana set default_transaction_read_only = on;
alter role vigie_grafana set statement_timeout = '15s';
-- template0: in the image's template1 the extension is there already and belongs to the superuser.
create database vigie owner vigie template template0;
SQL
