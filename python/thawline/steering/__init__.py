"""What a grant changes in a training: which parameters train, frozen BatchNorm, learning rates."""
