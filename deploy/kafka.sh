#!/bin/sh
# Starts the broker in its container; the first start formats its volume.
set -eu
bin=/opt/kafka/bin
config=/etc/tapline/kafka.properties
"$bin/kafka-storage.sh" format --ignore-formatted --cluster-id dGFwbGluZS1rYWZrYS0wMQ --config "$config"
exec "$bin/kafka-server-start.sh" "$config"
