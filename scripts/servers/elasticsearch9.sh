#!/usr/bin/env bash
# Elasticsearch 9: the server's own jars and HTTP module, started by a small main class, since no distribution of
# version 9 is published as an artifact. elasticsearch9.sh [start|stop|status|clean]
PORT=${PORT:-9201}
VERSION=${VERSION:-9.5.3}
. "$(dirname "$0")/lib.sh"
NAME=elasticsearch9-$VERSION
RUN=$DIR/run/$NAME-$PORT
NATIVE=elasticsearch-8.19.21 # its distribution holds libzstd, which the jars do not; its vector library is too old

build() {
  local home=$1 java=$2
  rm -rf "$home.tmp"
  mkdir -p "$home.tmp"/{lib,modules/transport-netty4,plugins}
  cat >"$home.tmp/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>test</groupId><artifactId>elasticsearch9</artifactId><version>1</version><dependencies>
<dependency><groupId>org.elasticsearch</groupId><artifactId>elasticsearch</artifactId><version>$VERSION</version></dependency>
<dependency><groupId>org.elasticsearch.plugin</groupId><artifactId>transport-netty4</artifactId><version>$VERSION</version></dependency>
</dependencies></project>
XML
  command -v mvn >/dev/null || die "mvn is needed to download $NAME"
  say "downloading $NAME"
  (cd "$home.tmp" && mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DoutputDirectory="$home.tmp/lib" -DincludeScope=runtime >&2)
  mv "$home.tmp"/lib/{netty-,transport-netty4}*.jar "$home.tmp/modules/transport-netty4/"
  printf '%s\n' description=netty "version=$VERSION" name=transport-netty4 java.version=21 \
    "elasticsearch.version=$VERSION" classname=org.elasticsearch.transport.netty4.Netty4Plugin extended.plugins= \
    has.native.controller=false licensed=false >"$home.tmp/modules/transport-netty4/plugin-descriptor.properties"
  "$java/bin/javac" -cp "$home.tmp/lib/*" -d "$home.tmp/lib" "$(dirname "$0")/Elasticsearch9.java"
  mv "$home.tmp" "$home"
}

start() {
  local java home=$DIR/$NAME native=$DIR/$NATIVE/lib/platform/linux-x64
  [ "$(uname -m)" = aarch64 ] && native=${native%x64}aarch64
  java=$(java_home 21)
  unpack "$(artifact org.elasticsearch.distribution.integ-test-zip elasticsearch 8.19.21 zip)" "$NATIVE"
  [ -d "$home" ] || build "$home" "$java"
  mkdir -p "$RUN"/{config,data,logs,tmp}
  printf '%s\n' status=error appender.console.type=Console appender.console.name=console \
    appender.console.layout.type=PatternLayout 'appender.console.layout.pattern=[%d{ISO8601}][%-5p][%-25c{1.}] %m%n' \
    rootLogger.level=info rootLogger.appenderRef.console.ref=console >"$RUN/config/log4j2.properties"
  own
  launch -- "$java/bin/java" "-Xms$HEAP" "-Xmx$HEAP" --enable-native-access=ALL-UNNAMED \
    --add-modules jdk.incubator.vector "-Djava.io.tmpdir=$RUN/tmp" "-Des.nativelibs.path=$native" \
    "-Djava.library.path=$native" -Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false \
    -Dlog4j2.disable.jmx=true "-Des.path.home=$home" \
    -cp "$home/lib:$home/lib/*" Elasticsearch9 "$home" "$RUN" "$PORT" "$((PORT + 100))"
  await "http://127.0.0.1:$PORT/_cluster/health"
}
main "$@"
