# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""How long to wait after failed logins, and whose requests they are."""

import pytest
from sm2a_runtime.front_door.client_address import client_address, networks
from sm2a_runtime.front_door.delays import Count, Kind, Limits, same_user, subjects

NOW = 1_800_000_000
LIMITS = Limits()
NEVER = Count()


def counts(**given: Count) -> dict[Kind, Count]:
    """Counts of the three subjects; those not given are new."""
    pair, user, address = (given.get(name, NEVER) for name in ("pair", "user", "address"))
    return {"user and address": pair, "user": user, "address": address}


def test_a_delay_doubles_up_to_an_end() -> None:
    delays = [LIMITS.delay("user and address", failures) for failures in (0, 4, 5, 6, 7, 14, 15, 10_000)]
    assert delays == [0, 0, 1, 2, 4, 512, 900, 900]
    assert [LIMITS.delay("user", failures) for failures in (49, 50, 55, 56, 10_000)] == [0, 1, 32, 60, 60]
    assert [LIMITS.delay("address", failures) for failures in (49, 50, 10_000)] == [0, 1, 900]


def test_the_longest_delay_is_the_end_of_every_delay() -> None:
    short = Limits(longest_seconds=30)
    assert {short.delay(kind, 1000) for kind in ("user and address", "user", "address")} == {30}


def test_each_subject_makes_an_attempt_wait() -> None:
    assert LIMITS.wait(counts(), NOW) == 0
    assert LIMITS.wait(counts(pair=Count(7, NOW - 1)), NOW) == 3
    assert LIMITS.wait(counts(user=Count(52, NOW)), NOW) == 4
    assert LIMITS.wait(counts(address=Count(53, NOW)), NOW) == 8
    assert LIMITS.wait(counts(pair=Count(7, NOW - 4)), NOW) == 0


def test_who_logged_in_from_there_lately_does_not_wait_for_attacks_from_elsewhere() -> None:
    attacked = Count(5000, NOW)
    assert LIMITS.wait(counts(pair=Count(0, 0, NOW - 86400), user=attacked), NOW) == 0
    assert LIMITS.wait(counts(pair=Count(0, 0, NOW - 31 * 86400), user=attacked), NOW) == 60
    assert LIMITS.wait(counts(pair=Count(9, NOW, NOW - 86400), user=attacked), NOW) == 16, "but for their own failures"


def test_an_hour_of_quiet_is_forgiven() -> None:
    assert LIMITS.wait(counts(pair=Count(100, NOW - 3599)), NOW) == 0, "the delay itself is over earlier"
    lenient = Limits(longest_seconds=86400)
    assert lenient.wait(counts(pair=Count(100, NOW - 3599)), NOW) > 0
    assert lenient.wait(counts(pair=Count(100, NOW - 3600)), NOW) == 0


@pytest.mark.parametrize("spelling", ["admin", "Admin", " ADMIN ", "ádmin", "\N{FULLWIDTH LATIN SMALL LETTER A}dmin"])
def test_a_user_has_one_count_however_a_database_compares_the_name(spelling: str) -> None:
    assert same_user(spelling) == "admin"
    assert subjects(spelling, "a") == subjects("admin", "a")


def test_keys_do_not_tell_what_was_typed() -> None:
    keys = subjects("my-password", "192.0.2.1")
    assert len(set(keys.values())) == 3
    assert all(len(key) == 64 and "password" not in key for key in keys.values())
    assert not set(keys.values()) & {value for kind, value in subjects("other", "192.0.2.2").items()}
    assert subjects("\udcff", "a"), "any text"


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [
        (None, "10.0.0.9"),
        ("192.0.2.1", "192.0.2.1"),
        ("10.0.0.1, 192.0.2.1", "192.0.2.1"),
        ("198.51.100.1,203.0.113.5, 192.0.2.1 ", "192.0.2.1"),
        ("192.0.2.7, 198.51.100.10", "192.0.2.7"),
        ("192.0.2.6, 192.0.2.7, 198.51.100.10, 198.51.100.11", "192.0.2.7"),
        ("198.51.100.10", "198.51.100.10"),
        ("garbage, 198.51.100.10", "198.51.100.10"),
        ("192.0.2.1:55123", "192.0.2.1"),
        ("garbage", "10.0.0.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::77]:443", "2001:db8:1:2::/64"),
        ("192.0.2.9, [2001:db8:1:2::88]", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_the_last_hop_that_is_no_trusted_proxy_is_the_client(forwarded_for: str | None, client: str) -> None:
    assert client_address(forwarded_for, "10.0.0.9", networks("198.51.100.0/24, 2001:db8:ffff::/48")) == client
