"""Doctor: what keeps a script from running, here or where cron runs it."""
