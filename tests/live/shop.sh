#!/usr/bin/env bash
# The shop on a real engine: every program gets healthy, and through CDN, load balancer and gateway a request
# needs a token with the right scope.
#
#   shop.sh [options of run.sh]
#
# ARCHC   the command (default: archc)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$here/../../examples/shop" "$work/shop"
"${ARCHC:-archc}" build "$work/shop" --env tried

cat >"$work/check.sh" <<'CHECK'
set -euo pipefail
shop=http://localhost:8080
issuer=http://localhost:8090
id=7f1d2c1e-6f0a-4b62-9f5e-3f6f1f4f9a10
failed=0

# description, the wanted codes, then arguments of curl
expect() {
  local what=$1 wanted=$2 code
  shift 2
  code=$(curl -s -o /dev/null -w '%{http_code}' --max-time 10 "$@") || true
  case " $wanted " in
    *" $code "*) printf 'ok    %s %s\n' "$code" "$what" ;;
    *) printf 'FAIL  %s %s (wanted %s)\n' "$code" "$what" "$wanted"; failed=1 ;;
  esac
}

token() { # scope
  curl -s --max-time 10 "$issuer/token" -d grant_type=urn:archc:params:oauth:grant-type:dev-user \
    -d client_id=storefront -d username=customer --data-urlencode "scope=$1" |
    sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p'
}

read=$(token orders.read) write=$(token orders.write)

# Every container is healthy; the gateway learns of services that came up after it within a second or two.
is_up() { # path
  [ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 -H "authorization: Bearer $read" "$shop$1")" != 503 ]
}
for _ in $(seq 1 20); do
  is_up /catalogue && is_up "/orders/$id" && break
  sleep 0.5
done
order='{"customer":"'$id'","lines":[{"product":"00000000-0000-0000-0000-000000000001","quantity":2,"price":"1.00"}]}'
json='content-type: application/json'
expect 'the storefront' 200 "$shop/"
expect 'the cart, a part of it' 200 "$shop/cart"
expect 'the catalogue, without a token' 200 "$shop/catalogue"
expect 'an order without a token' 401 "$shop/orders/$id"
expect 'an order with a bad token' 401 "$shop/orders/$id" -H 'authorization: Bearer x.y.z'
expect 'an order that nobody placed' 404 "$shop/orders/$id" -H "authorization: Bearer $read"
expect 'an order with another scope' 403 "$shop/orders/$id" -H "authorization: Bearer $write"
expect 'a new order with the scope to read' 403 "$shop/orders" -H "authorization: Bearer $read" \
  -H "$json" -d "$order"
expect 'a new order with the scope to write' 201 "$shop/orders" -H "authorization: Bearer $write" \
  -H "$json" -H "idempotency-key: $id" -d "$order"
# The same request again is the same order; its id is in the answer.
placed=$(curl -s --max-time 10 "$shop/orders" -H "authorization: Bearer $write" -H "$json" \
  -H "idempotency-key: $id" -d "$order" | sed -n 's/.*"id":"\([^"]*\)".*/\1/p')
expect "order $placed, by who placed it" 200 "$shop/orders/$placed" -H "authorization: Bearer $read"
mailed=0
for _ in $(seq 1 20); do
  if docker compose logs --no-log-prefix mailer | grep -F "$placed" | grep -qF 'mail sent'; then mailed=1; break; fi
  sleep 0.5
done
if [ "$mailed" = 1 ]; then
  printf 'ok    the event of the order came to the mailer\n'
else
  printf 'FAIL  no mail about the order\n'
  failed=1
fi
for port in 5432 9092 9200 6379; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    printf 'FAIL  port %s of this machine is open\n' "$port"
    failed=1
  fi
done
up=$(docker compose exec -T watch-metrics wget -q -O - 'http://127.0.0.1:9090/api/v1/query?query=up==0')
case $up in
  *'"result":[]'*) printf 'ok    all scrapes succeed\n' ;;
  *) printf 'FAIL  scrapes: %s\n' "$up"; failed=1 ;;
esac
exit "$failed"
CHECK

"$here/run.sh" --env tried --name live-shop --check "bash $work/check.sh" "$@" "$work/shop"
