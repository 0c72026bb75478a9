"""Weight transforms: what a Parameter's latent array becomes before the network uses it."""
