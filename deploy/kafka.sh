#!/bin/sh
# Starts the broker in its container; the first start formats its volume. It logs to its output alone: files of logs would fill /tmp.
set -eu
bin=/opt/kafka/bin
config=/etc/tapline/kafka.properties
export KAFKA_LOG4J_OPTS=-Dlog4j2.configurationFile=/etc/tapline/kafka-log.properties EXTRA_ARGS="-name kafka"
"$bin/kafka-storage.sh" format --ignore-formatted --cluster-id dGFwbGluZS1rYWZrYS0wMQ --config "$config"
exec "$bin/kafka-server-start.sh" "$config"
