#!/usr/bin/env bash
# Makes secrets/ for compose.yml: an authority, certificates for Kafka and its clients, a token for exporters. What is there stays.
# The password and the authority of the search cluster are yours: secrets/search_password and secrets/search_ca.pem.
set -euo pipefail
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
cd secrets
days=825

[ -f ca.key ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 3650 \
  -subj /CN=tapline-kafka-ca -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign 2>/dev/null

certificate() { # a name, and by which it is called
  [ -f "$1.crt" ] && return
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days "$days" -out "$1.crt" \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$2") 2>/dev/null
  rm "$1.csr"
}
certificate kafka DNS:kafka,DNS:localhost
for name in admin agent central; do certificate "$name" "DNS:$name"; done
# Kafka wants key and certificates in one file.
for name in kafka admin; do cat "$name.key" "$name.crt" ca.pem >"$name.pem"; done
[ -f otlp_token ] || openssl rand -hex 32 >otlp_token

# Secrets of Compose are the files themselves: the containers' user has to own them.
mounted=(./*.pem ./*.crt agent.key central.key otlp_token)
if [ -f search_password ]; then mounted+=(search_password); fi
case $(id -u) in
  0) chown 1000:1000 "${mounted[@]}" && chmod 600 "${mounted[@]}" ;;
  1000) ;;
  *) echo "deploy/secrets has to be readable for user 1000: run this as root" >&2 ;;
esac
for name in search_password search_ca.pem; do [ -f "$name" ] || echo "still to come: deploy/secrets/$name" >&2; done
