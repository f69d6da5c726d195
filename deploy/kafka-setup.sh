#!/bin/sh
# Makes the topics and gives each client the rights that it needs and no more. Can be run again. BIN and SERVER are for trying it
# outside a container.
set -eu
bin=${BIN:-/opt/kafka/bin}
server=${SERVER:-kafka:9093}
admin=${ADMIN:-/etc/tapline/admin.properties}

topic() {
  "$bin/kafka-topics.sh" --bootstrap-server "$server" --command-config "$admin" --create --if-not-exists --topic "$1" \
    --partitions 12 --replication-factor 1 --config retention.ms=604800000 --config cleanup.policy=delete
}
allow() { # a client, and what it may do where
  who=$1
  shift
  "$bin/kafka-acls.sh" --bootstrap-server "$server" --command-config "$admin" --add --allow-principal "User:CN=$who" "$@"
}

topic tapline-events
topic tapline-matches
allow agent --operation Write --operation Describe --topic tapline-events
allow central --operation Read --operation Describe --topic tapline-events
allow central --operation Read --operation Write --operation Describe --topic tapline-matches
allow central --operation Read --group tapline
