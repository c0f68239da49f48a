"""Data sets in memory: their files, verified and read, their order, and the corruptions of test images."""
