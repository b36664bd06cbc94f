"""What a device carries: signed bundles, the models that run on it, and what it queues until there is a network."""
