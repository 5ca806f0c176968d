# Copyright: SM2A contributors
# Apache License 2.0
"""Between the internet and the web server: what is public, how often a password is tried, how one signs out."""
