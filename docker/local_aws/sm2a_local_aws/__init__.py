"""A local AWS for SM2A."""
