"""Networks for images as families, each with its blocks in its own file; pretrained encoders in `text`."""
