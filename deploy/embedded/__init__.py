"""Broker and database without Docker and without root, for trying, developing and testing.

`stack.EmbeddedStack` owns one home's PostgreSQL with TimescaleDB and its mosquitto as child processes.
Installed programs are used where they are good enough; otherwise Debian's own signed packages are
fetched by apt and unpacked into a private folder. Unpacked packages get no security updates: production
is compose, or the distribution's packages with systemd.
"""
