"""The SM2A autoscaler."""
