"""The built-in training loops, one for images and one for text, and what a run of each is made of."""
