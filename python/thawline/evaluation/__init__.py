"""How well a model does: accuracies on clean and corrupted images, scores of answers and of sentence pairs."""
