#!/usr/bin/env bash
# Apache Kafka as one broker that is its own controller: kafka.sh [start|stop|status|clean]
# Listens on PORT (plain), PORT+1 (controller), PORT+2 (TLS that asks for a client's certificate), PORT+3 (SASL over TLS).
# The authority, a client's certificate and its key lie in RUN/tls; the user is tapline, the password tapline-secret.
PORT=${PORT:-9092}
VERSION=${VERSION:-4.3.1}
HEAP=${HEAP:-512m}
# How long a broker that was killed keeps its place: it cannot come back before. A busy machine is no broken one.
SESSION_MS=${SESSION_MS:-120000}
. "$(dirname "$0")/lib.sh"
NAME=kafka-$VERSION
RUN=$DIR/run/$NAME-$PORT
PASSWORD=tapline-secret

# Its jars and those it needs, from Maven: there is no distribution there.
jars() {
  [ -f "$DIR/$NAME/kafka_2.13-$VERSION.jar" ] && return
  command -v mvn >/dev/null || die "mvn is needed to download Kafka $VERSION"
  say "downloading Kafka $VERSION"
  rm -rf "$DIR/$NAME.tmp"
  mkdir -p "$DIR/$NAME.tmp"
  cat >"$DIR/$NAME.tmp/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>test</groupId><artifactId>kafka</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$VERSION</version></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$VERSION</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>2.25.3</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.3</version></dependency>
</dependencies></project>
XML
  mvn -q -B -f "$DIR/$NAME.tmp/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DoutputDirectory="$DIR/$NAME.tmp" -DincludeScope=runtime >&2
  mv "$DIR/$NAME.tmp" "$DIR/$NAME"
}

certificates() {
  [ -f "$RUN/tls/client.pem" ] && return
  mkdir -p "$RUN/tls"
  (
    cd "$RUN/tls"
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=tapline-test-ca -keyout ca.key -out ca.pem
    for name in server client; do
      openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout "$name.key" -out "$name.csr"
      printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >"$name.ext"
      openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile "$name.ext" -out "$name.pem"
    done
    cat server.key server.pem ca.pem >server.store
  ) 2>/dev/null
  chmod 644 "$RUN"/tls/*
}

start() {
  local java cluster
  java=$(java_home 17)
  jars
  mkdir -p "$RUN"/{data,tmp}
  certificates
  cat >"$RUN/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((PORT + 1))
listeners=PLAINTEXT://127.0.0.1:$PORT,CONTROLLER://127.0.0.1:$((PORT + 1)),SSL://127.0.0.1:$((PORT + 2)),SASL_SSL://127.0.0.1:$((PORT + 3))
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location=$RUN/tls/server.store
ssl.truststore.type=PEM
ssl.truststore.location=$RUN/tls/ca.pem
listener.name.ssl.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_tapline="$PASSWORD";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
log.dirs=$RUN/data
num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=$SESSION_MS
initial.broker.registration.timeout.ms=180000
controller.quorum.fetch.timeout.ms=60000
controller.quorum.election.timeout.ms=60000
PROPERTIES
  cat >"$RUN/log4j2.properties" <<LOG
status=error
rootLogger.level=WARN
rootLogger.appenderRefs=c
rootLogger.appenderRef.c.ref=c
appender.c.type=Console
appender.c.name=c
appender.c.layout.type=PatternLayout
appender.c.layout.pattern=%d %p %c{1} %m%n
LOG
  local options=("-Xmx$HEAP" "-Xms$HEAP" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Djava.io.tmpdir=$RUN/tmp"
    "-Dlog4j2.configurationFile=$RUN/log4j2.properties" -cp "$DIR/$NAME/*")
  if [ ! -f "$RUN/data/meta.properties" ]; then
    # 16 bytes in base64; one that begins with a dash would be taken for an option.
    cluster=A$(head -c16 /dev/urandom | base64 | tr '+/' '-_' | tr -d = | cut -c2-)
    "$java/bin/java" "${options[@]}" kafka.tools.StorageTool format -t "$cluster" -c "$RUN/server.properties" \
      --add-scram "SCRAM-SHA-256=[name=tapline,password=$PASSWORD]" \
      --add-scram "SCRAM-SHA-512=[name=tapline,password=$PASSWORD]" >"$RUN/format.log" 2>&1 || die "$(cat "$RUN/format.log")"
  fi
  own
  launch -- "$java/bin/java" "${options[@]}" kafka.Kafka "$RUN/server.properties"
  awaitPort
}

# No HTTP here: it is up when its port answers.
awaitPort() {
  local deadline=$((SECONDS + ${START_SECONDS:-300}))
  until (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; do
    running || { tail -40 "$RUN/out.log" >&2; die "$NAME ended while starting"; }
    [ $SECONDS -lt $deadline ] || die "$NAME did not answer in ${START_SECONDS:-300} s"
    sleep 0.3
  done
  say "$NAME on port $PORT, pid $(cat "$RUN/pid")"
}
main "$@"
