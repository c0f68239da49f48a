"""The process and the machine under it: its end, its memory, its randomness."""
