#!/bin/bash
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
#
# Initialise the data directory on the first start, then run the server as the user mysql.
# The variables are those of the official image: MYSQL_ROOT_PASSWORD (required), MYSQL_ROOT_HOST (%), MYSQL_DATABASE,
# MYSQL_USER with MYSQL_PASSWORD (owner of that database). The server makes itself a self-signed certificate.
set -Eeuo pipefail

DATA=/var/lib/mysql
SOCKET=/run/mysqld/mysqld.sock

fail() {
    echo "docker-entrypoint.sh: $1" >&2
    exit 1
}

# A text as a literal of SQL.
quoted() {
    local text=${1//\\/\\\\}
    printf "'%s'" "${text//\'/\\\'}"
}

# root prepares the directories and becomes mysql.
prepare_directories() {
    mkdir -p "$DATA" /run/mysqld
    chown mysql:mysql "$DATA" /run/mysqld
}

# What the first start does in place of an operator; it is run before the server listens.
initial_sql() {
    local root_host=${MYSQL_ROOT_HOST:-%}
    echo "ALTER USER 'root'@'localhost' IDENTIFIED BY $(quoted "$MYSQL_ROOT_PASSWORD");"
    if [ "$root_host" != localhost ]; then
        echo "CREATE USER 'root'@$(quoted "$root_host") IDENTIFIED BY $(quoted "$MYSQL_ROOT_PASSWORD");"
        echo "GRANT ALL ON *.* TO 'root'@$(quoted "$root_host") WITH GRANT OPTION;"
    fi
    if [ -n "${MYSQL_DATABASE:-}" ]; then
        echo "CREATE DATABASE IF NOT EXISTS \`${MYSQL_DATABASE//\`/}\`;"
    fi
    if [ -n "${MYSQL_USER:-}" ] && [ "$MYSQL_USER" != root ]; then
        echo "CREATE USER $(quoted "$MYSQL_USER")@'%' IDENTIFIED BY $(quoted "${MYSQL_PASSWORD:-}");"
        if [ -n "${MYSQL_DATABASE:-}" ]; then
            echo "GRANT ALL ON \`${MYSQL_DATABASE//\`/}\`.* TO $(quoted "$MYSQL_USER")@'%';"
        fi
    fi
}

# With the server's options, so that a wrong one ends the first start at once.
initialise() {
    [ -n "${MYSQL_ROOT_PASSWORD:-}" ] || fail "set MYSQL_ROOT_PASSWORD: the administrator needs a password"
    local script
    script=$(mktemp)
    initial_sql > "$script"
    # A start that was cut short begins anew: the server takes an empty directory only.
    find "$DATA" -mindepth 1 -delete
    mysqld --no-defaults --initialize-insecure --datadir="$DATA" --init-file="$script" --secure-file-priv=NULL \
        --innodb-use-native-aio=OFF "$@"
    rm -f "$script"
    touch "$DATA/.initialised"
}

# Options alone mean the server, as `docker run mysql --port=3307`.
if [ $# -eq 0 ] || [ "${1:0:1}" = '-' ]; then
    set -- mysqld "$@"
fi
if [ "$1" = mysqld ]; then
    if [ "$(id -u)" = 0 ]; then
        prepare_directories
        exec setpriv --reuid=mysql --regid=mysql --init-groups "${BASH_SOURCE[0]}" "$@"
    fi
    shift
    if [ ! -e "$DATA/.initialised" ]; then
        initialise "$@"
    fi
    unset MYSQL_ROOT_PASSWORD MYSQL_PASSWORD
    set -- mysqld --no-defaults --datadir="$DATA" --socket="$SOCKET" --bind-address='*' \
        --secure-file-priv=NULL --mysqlx=OFF --innodb-use-native-aio=OFF --host-cache-size=0 --skip-name-resolve "$@"
fi
exec "$@"
