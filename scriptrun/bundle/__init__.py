"""One file with a script, its lock and its wheels, for machines without scriptrun and without network."""
