# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Between the internet and the web server: what is public, how often a password is tried, how one signs out."""
