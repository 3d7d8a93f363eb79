"""Jobs: scripts that run unattended, from a cron table or as a unit of systemd."""
