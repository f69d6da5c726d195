#!/usr/bin/env bash
# OpenSearch 3, the complete distribution without plugins, as one process: opensearch.sh [start|stop|status|clean]
# SECURITY=true adds the security plugin: TLS under an authority of its own (config/ca.pem), user admin, password admin. The
# newest plugin that can be had is of 3.4: its descriptor is set to the server's version, and what the server has is left out.
PORT=${PORT:-9200}
VERSION=${VERSION:-3.6.0}
SECURITY=${SECURITY:-false}
. "$(dirname "$0")/lib.sh"
NAME=opensearch-$VERSION
HOME_NAME=$NAME
if [ "$SECURITY" = true ]; then HOME_NAME=$NAME-security; fi
RUN=$DIR/run/$NAME-$PORT

with_security() {
  local zip plugin=$DIR/$HOME_NAME.tmp/plugins/opensearch-security
  [ -d "$DIR/$HOME_NAME" ] && return
  zip=$(artifact org.opensearch.plugin opensearch-security 3.4.0.0 zip)
  rm -rf "$DIR/$HOME_NAME.tmp"
  cp -r "$DIR/$NAME" "$DIR/$HOME_NAME.tmp"
  mkdir -p "$plugin"
  unzip -q -o "$zip" -d "$plugin"
  sed -i "s/^opensearch.version=.*/opensearch.version=$VERSION/" "$plugin/plugin-descriptor.properties"
  rm -f "$plugin"/bc-fips-*.jar "$plugin"/bcpkix-fips-*.jar "$plugin"/bcutil-fips-*.jar
  mv "$DIR/$HOME_NAME.tmp" "$DIR/$HOME_NAME"
}

certificates() {
  [ -f node.pem ] && return
  local name
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=authority -keyout ca.key -out ca.pem
  for name in node admin; do
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout $name.key -out $name.csr
    openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out $name.pem \
      -extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1")
  done
}

secure() {
  mkdir -p "$RUN/config/opensearch-security"
  cp -n "$DIR/$HOME_NAME/plugins/opensearch-security/config/"*.yml "$RUN/config/opensearch-security/"
  (cd "$RUN/config" && certificates 2>/dev/null)
  cat >>"$RUN/config/opensearch.yml" <<YML
plugins.security.ssl.transport.pemcert_filepath: node.pem
plugins.security.ssl.transport.pemkey_filepath: node.key
plugins.security.ssl.transport.pemtrustedcas_filepath: ca.pem
plugins.security.ssl.transport.enforce_hostname_verification: false
plugins.security.ssl.http.enabled: true
plugins.security.ssl.http.pemcert_filepath: node.pem
plugins.security.ssl.http.pemkey_filepath: node.key
plugins.security.ssl.http.pemtrustedcas_filepath: ca.pem
plugins.security.authcz.admin_dn: ['CN=admin']
plugins.security.nodes_dn: ['CN=node']
plugins.security.audit.type: noop
plugins.security.restapi.roles_enabled: [all_access, security_rest_api_access]
plugins.security.allow_default_init_securityindex: true
YML
}

start() {
  local zip java
  java=$(java_home 21)
  zip=$(artifact org.opensearch.distribution.integ-test-zip opensearch "$VERSION" zip)
  unpack "$zip" "$NAME"
  if [ "$SECURITY" = true ]; then with_security; fi
  mkdir -p "$RUN"/{config,data,logs,tmp}
  cp -r "$DIR/$HOME_NAME/config/." "$RUN/config/"
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
  if [ "$SECURITY" = true ]; then secure; fi
  sed -i -E "s/^-Xm([sx]).*/-Xm\1$HEAP/; s#logs/gc.log#$RUN/logs/gc.log#; s#ErrorFile=logs#ErrorFile=$RUN/logs#; s#HeapDumpPath=data#HeapDumpPath=$RUN/data#" \
    "$RUN/config/jvm.options"
  own
  launch "OPENSEARCH_JAVA_HOME=$java" "OPENSEARCH_HOME=$DIR/$HOME_NAME" "OPENSEARCH_PATH_CONF=$RUN/config" \
    "OPENSEARCH_TMPDIR=$RUN/tmp" -- "$DIR/$HOME_NAME/bin/opensearch"
  local scheme=http
  if [ "$SECURITY" = true ]; then AUTH=admin:admin scheme=https; fi
  await "$scheme://127.0.0.1:$PORT/_cluster/health?wait_for_status=yellow&timeout=2s"
}
main "$@"
