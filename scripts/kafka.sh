#!/usr/bin/env bash
# Builds the client for Kafka into optional/kafka, for the Node that comes with the project and with its headers: npm run kafka
set -euo pipefail
cd "$(dirname "$0")/.."
headers=(node_modules/node/node_modules/node-*/include/node/node.h)
[ -f "${headers[0]}" ] || { echo "no headers of Node under node_modules/node: run \`npm ci\` first" >&2; exit 1; }
node_dir=$PWD/${headers[0]%/include/node/node.h}
# With JOBS the build of librdkafka runs ahead of its own configuration and fails.
unset JOBS
PATH=$PWD/node_modules/.bin:$PATH npm ci --prefix optional/kafka --nodedir="$node_dir"
PATH=$PWD/node_modules/.bin:$PATH node -e '
  const { librdkafkaVersion, features } = require("./optional/kafka/node_modules/node-rdkafka");
  console.log(`librdkafka ${librdkafkaVersion}: ${features.join(", ")}`);'
