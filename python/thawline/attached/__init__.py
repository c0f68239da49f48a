"""A training script of the user's own under a controller: `thawline.attach`."""
