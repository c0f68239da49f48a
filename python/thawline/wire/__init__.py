"""What the worker and its controller say to each other: messages, frames, limits, the socket and its keys."""
