#!/bin/bash
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
#
# Initialise the data directory on the first start, then run the server as the user postgres.
# The variables are those of the official image: POSTGRES_USER (postgres), POSTGRES_PASSWORD (required),
# POSTGRES_DB (the user's name), POSTGRES_INITDB_ARGS, PGDATA. *.sh, *.sql and *.sql.gz in
# /docker-entrypoint-initdb.d run once, in the order of their names. POSTGRES_FORCE_TLS=1, which the official image does
# not have, refuses sessions over the network that are not encrypted, as rds.force_ssl does; it counts at every start.
set -Eeuo pipefail

fail() {
    echo "docker-entrypoint.sh: $1" >&2
    exit 1
}

# root prepares the directories and becomes postgres.
prepare_directories() {
    mkdir -p "$PGDATA" /var/run/postgresql
    chown postgres:postgres "$PGDATA" /var/run/postgresql
    chmod 0700 "$PGDATA"
    chmod 3775 /var/run/postgresql
}

create_cluster() {
    [ -n "${POSTGRES_PASSWORD:-}" ] || fail "set POSTGRES_PASSWORD: the superuser needs a password"
    local -a options=()
    read -r -a options <<< "${POSTGRES_INITDB_ARGS:-}"
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") \
        --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 "${options[@]}"
    printf "\nlisten_addresses = '*'\n" >> "$PGDATA/postgresql.conf"
}

write_access_rules() {
    local connections=host
    case "${POSTGRES_FORCE_TLS:-}" in 1 | on | true) connections=hostssl ;; esac
    printf '%s\n' 'local all all trust' 'host all all 127.0.0.1/32 scram-sha-256' \
        "$connections all all all scram-sha-256" > "$PGDATA/pg_hba.conf"
}

run_sql() {
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" "$@"
}

# The server answers on its local socket only, until the first database and the initial scripts are there.
populate_cluster() {
    pg_ctl --pgdata "$PGDATA" --options "-c listen_addresses='' -c ssl=off" --wait start
    if [ "$POSTGRES_DB" != postgres ]; then
        run_sql --dbname postgres --set name="$POSTGRES_DB" <<< 'CREATE DATABASE :"name";'
    fi
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        case "$file" in
            *.sh) bash "$file" ;;
            *.sql) run_sql --dbname "$POSTGRES_DB" --file "$file" ;;
            *.sql.gz) gunzip --stdout "$file" | run_sql --dbname "$POSTGRES_DB" ;;
        esac
    done
    pg_ctl --pgdata "$PGDATA" --mode fast --wait stop
}

: "${PGDATA:=/var/lib/postgresql/data}" "${POSTGRES_USER:=postgres}"
: "${POSTGRES_DB:=$POSTGRES_USER}"
export PGDATA POSTGRES_USER POSTGRES_DB

# Options alone mean the server, as `docker run postgres -c port=5433`.
if [ "${1:0:1}" = '-' ]; then
    set -- postgres "$@"
fi
if [ "$1" = postgres ]; then
    if [ "$(id -u)" = 0 ]; then
        prepare_directories
        exec setpriv --reuid=postgres --regid=postgres --init-groups "${BASH_SOURCE[0]}" "$@"
    fi
    if [ ! -s "$PGDATA/PG_VERSION" ]; then
        create_cluster
        populate_cluster
    fi
    write_access_rules
    unset POSTGRES_PASSWORD
fi
exec "$@"
