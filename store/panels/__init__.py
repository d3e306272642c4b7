"""What the panels of Grafana ask the database: text with Grafana's macros and variables, which Grafana runs.

Every statement serves both editions of TimescaleDB and is bounded: up to three hours readings come as they are, longer
ranges from the means (`store.panels.means`), so that a month costs what an hour does. `deploy.grafana` draws them.
"""
