"""The corruptions of MNIST-C and CIFAR-C, one by one, and the sets of them that are kept on disk."""
