#!/usr/bin/env bash
# Elasticsearch 8, the distribution its makers test with (few modules): elasticsearch8.sh [start|stop|status|clean]
# SECURITY=true turns users and roles on; user elastic, password in PASSWORD. ROLES is a file of roles, and USERS has
# name:password:role for more users: this distribution cannot make either over its API.
PORT=${PORT:-9201}
VERSION=${VERSION:-8.19.21}
SECURITY=${SECURITY:-false}
. "$(dirname "$0")/lib.sh"
NAME=elasticsearch-$VERSION
RUN=$DIR/run/$NAME-$PORT

start() {
  local zip java
  java=$(java_home 17)
  zip=$(artifact org.elasticsearch.distribution.integ-test-zip elasticsearch "$VERSION" zip)
  unpack "$zip" "$NAME"
  mkdir -p "$RUN"/{config/jvm.options.d,data,logs,tmp}
  cp -rn "$DIR/$NAME/config/." "$RUN/config/"
  cat >"$RUN/config/elasticsearch.yml" <<YML
cluster.name: tapline-test
path.data: $RUN/data
path.logs: $RUN/logs
network.host: 127.0.0.1
http.port: $PORT
transport.port: $((PORT + 100))
discovery.type: single-node
cluster.routing.allocation.disk.threshold_enabled: false
xpack.security.enabled: $SECURITY
YML
  printf -- '-Xms%s\n-Xmx%s\n' "$HEAP" "$HEAP" >"$RUN/config/jvm.options.d/heap.options"
  if [ "$SECURITY" = true ] && [ ! -f "$RUN/config/elasticsearch.keystore" ]; then
    export ES_JAVA_HOME=$java ES_PATH_CONF=$RUN/config
    "$DIR/$NAME/bin/elasticsearch-keystore" create >&2
    printf '%s' "${PASSWORD:?PASSWORD is needed with SECURITY=true}" |
      "$DIR/$NAME/bin/elasticsearch-keystore" add -x -f bootstrap.password
  fi
  if [ -n "${ROLES:-}" ]; then cp "$ROLES" "$RUN/config/roles.yml"; fi
  local user
  for user in ${USERS:-}; do
    IFS=: read -r name password role <<<"$user"
    ES_JAVA_HOME=$java ES_PATH_CONF=$RUN/config "$DIR/$NAME/bin/elasticsearch-users" useradd "$name" -p "$password" -r "$role" >&2
  done
  own
  launch "ES_JAVA_HOME=$java" "ES_PATH_CONF=$RUN/config" "ES_TMPDIR=$RUN/tmp" -- "$DIR/$NAME/bin/elasticsearch"
  if [ "$SECURITY" = true ]; then AUTH=elastic:$PASSWORD; fi
  await "http://127.0.0.1:$PORT/_cluster/health?wait_for_status=yellow&timeout=2s"
}
main "$@"
