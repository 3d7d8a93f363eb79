"""What tests are made with: wheels, an index on loopback, a user's surroundings."""
