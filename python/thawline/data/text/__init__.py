"""Questions and sentence pairs: readers of their files, their tokens, and batches of these."""
