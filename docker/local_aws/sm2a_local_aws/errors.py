# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The one error that a person is meant to read."""


class LocalAwsError(Exception):
    """What went wrong and the next step, in one line. The command line prints it and exits with 1."""
