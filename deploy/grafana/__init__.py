"""Dashboards as code: built to files in French and English, mounted by compose or pushed over Grafana's API.

`store.panels` asks, this package draws. Building needs grafana-foundation-sdk (the extra `grafana`); pushing needs only
the files.
"""
