"""thawline: watches the early period of a training run and acts on it. Importing it is light; torch loads on use."""
