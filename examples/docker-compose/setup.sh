# Run once by `docker compose up`, in the container `setup`.
set -eu
umask 022

export PLASTRON_ADMIN_SOCKET=/run/server/admin.sock
bootstrap=/var/lib/plastron/bootstrap
plastron bundle show > "$bootstrap/bundle.pem"
plastron node token --spiffe-id spiffe://shop.example/node/demo > "$bootstrap/token"

# render SERVICE TEMPLATE --set NAME=VALUE ...
render() {
  service=$1 template=$2
  shift 2
  plastron envoy bootstrap "/opt/plastron/examples/envoy-configs/$template" \
    --set AGENT_SOCKET=/run/agent/agent.sock \
    --set ADMIN_SOCKET=/run/service/admin.sock \
    --set ACCESS_LOG=/dev/stdout \
    "$@" > "/var/lib/plastron/envoy/$service.yaml"
}

render orders inbound.yaml \
  --set APP_SOCKET=/run/service/app.sock --set INBOUND_ADDRESS=0.0.0.0 --set INBOUND_PORT=8443
render web both.yaml \
  --set APP_SOCKET=/run/service/app.sock --set INBOUND_ADDRESS=0.0.0.0 --set INBOUND_PORT=8443 \
  --set OUTBOUND_SOCKET=/run/service/outbound.sock --set ORDERS_HOST=orders --set ORDERS_PORT=8443
render intruder outbound.yaml \
  --set OUTBOUND_SOCKET=/run/service/outbound.sock \
  --set ORDERS_HOST=orders --set ORDERS_PORT=8443 --set WEB_HOST=web --set WEB_PORT=8443
