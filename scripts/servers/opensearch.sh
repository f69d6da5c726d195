#!/usr/bin/env bash
# OpenSearch 3, the complete distribution without plugins, as one process: opensearch.sh [start|stop|status|clean]
PORT=${PORT:-9200}
VERSION=${VERSION:-3.6.0}
. "$(dirname "$0")/lib.sh"
NAME=opensearch-$VERSION
RUN=$DIR/run/$NAME-$PORT

start() {
  local zip java
  java=$(java_home 21)
  zip=$(artifact org.opensearch.distribution.integ-test-zip opensearch "$VERSION" zip)
  unpack "$zip" "$NAME"
  mkdir -p "$RUN"/{config,data,logs,tmp}
  cp -r "$DIR/$NAME/config/." "$RUN/config/"
  cat >"$RUN/config/opensearch.yml" <<YML
cluster.name: tapline-test
path.data: $RUN/data
path.logs: $RUN/logs
network.host: 127.0.0.1
http.port: $PORT
transport.port: $((PORT + 100))
discovery.type: single-node
cluster.routing.allocation.disk.threshold_enabled: false
YML
  sed -i -E "s/^-Xm([sx]).*/-Xm\1$HEAP/; s#logs/gc.log#$RUN/logs/gc.log#; s#ErrorFile=logs#ErrorFile=$RUN/logs#; s#HeapDumpPath=data#HeapDumpPath=$RUN/data#" \
    "$RUN/config/jvm.options"
  own
  launch "OPENSEARCH_JAVA_HOME=$java" "OPENSEARCH_HOME=$DIR/$NAME" "OPENSEARCH_PATH_CONF=$RUN/config" \
    "OPENSEARCH_TMPDIR=$RUN/tmp" -- "$DIR/$NAME/bin/opensearch"
  await "http://127.0.0.1:$PORT/_cluster/health?wait_for_status=yellow&timeout=2s"
}
main "$@"
