# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Lists of packages as people's machines write them."""

from pathlib import Path

import pytest
from sm2a_runtime.project.lists import Line, ProblemError, entries, text_of

PLAIN = "# for ODBC\njq\n\nunixodbc  # drivers\n"
ENTRIES = [Line(2, "jq"), Line(4, "unixodbc")]


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        PLAIN.replace("\n", "\r\n").encode("utf-16"),
        "\ufeff".encode("utf-16-be") + PLAIN.encode("utf-16-be"),
        PLAIN.replace("jq", "\ufeff jq \u00a0\t").encode(),
        PLAIN.rstrip("\n").encode(),
    ],
)
def test_however_a_list_was_saved_it_says_the_same(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "packages.txt"
    file.write_bytes(content)
    assert entries(text_of(file)) == ENTRIES


def test_a_number_sign_within_a_word_is_no_comment() -> None:
    address = "x @ https://example.com/x.zip#sha256=0"
    assert entries(f"{address} # ours") == [Line(1, address)]


@pytest.mark.parametrize("content", [b"", b"\r\n\r\n", b"  \n# nothing\r\n", b"\xef\xbb\xbf"])
def test_an_empty_list_is_one(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "packages.txt"
    file.write_bytes(content)
    assert entries(text_of(file)) == []


def test_what_is_no_text_is_told(tmp_path: Path) -> None:
    file = tmp_path / "packages.txt"
    file.write_bytes(b"caf\xe9\n")
    with pytest.raises(ProblemError, match=r"packages\.txt is no text in UTF-8 \(byte 4\)"):
        text_of(file)
