"""An audit of a deployed environment against AWS Foundational Security Best Practices: ``python -m tools.audit``."""
