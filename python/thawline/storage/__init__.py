"""Files that are whole or absent, and verified before use: checkpoints, weights, the journal as Python reads it."""
