"""Callbacks that put the trainers of other libraries under a controller; each imports its library."""
