"""Per-example gradients of single layers: from what a layer read and the gradient at what it gave.

A rule is chosen in `choice`; it gives gradients in a form (`forms`) that is never larger than a layer's activations or,
of one example at a time, its weights; forms know their squared norms and add up where a parameter is used twice.
"""
