# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules for options beyond their types. Each ``problems`` takes converted options by name, and gives sentences."""
