"""Training: mixtures, the torch twin of the chain, losses, the loop (needs torch)."""
