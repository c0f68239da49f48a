"""What the controller sends of a run's configuration, typed."""
