"""What Vigie runs on: the embedded broker and database, and files for compose, systemd and Grafana."""
