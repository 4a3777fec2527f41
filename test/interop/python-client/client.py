"""A client of the Workload API with py-spiffe and spiffe-tls: reads a plan (JSON) from stdin, makes its steps in order and
prints one line of JSON for each; ends at the first step that fails. Go's workload.go makes the same steps."""

import json
import sys
from threading import Event
from typing import Callable

from OpenSSL import crypto
from spiffe import JwtSvid, SpiffeId, WorkloadApiClient, X509Source
from spiffe.errors import PySpiffeError
from spiffetls.errors import TLSConnectionError

from mtls import called_once, call

PATIENCE = 30  # seconds


class Workload:
    def __init__(self, plan: dict[str, str]) -> None:
        self.id = SpiffeId(plan["id"])
        self.peer_id = SpiffeId(plan["peerId"])
        self.peer_address = plan["peerAddress"]
        self.client = WorkloadApiClient(plan["socket"])
        self.source = X509Source(workload_api_client=self.client, timeout_in_seconds=PATIENCE)

    def x509(self) -> None:
        svid = self.client.fetch_x509_svid(timeout=PATIENCE)
        bundle = self.client.fetch_x509_bundles(timeout=PATIENCE).get_bundle_for_trust_domain(self.id.trust_domain)
        assert bundle is not None, "there is no bundle of the trust domain"
        store = crypto.X509Store()
        for authority in bundle.x509_authorities:
            store.add_cert(crypto.X509.from_cryptography(authority))
        leaf, *intermediates = [crypto.X509.from_cryptography(one) for one in svid.cert_chain]
        crypto.X509StoreContext(store, leaf, intermediates).verify_certificate()
        assert svid.spiffe_id == self.id, f"the SVID is of {svid.spiffe_id}"
        assert svid.private_key.public_key() == svid.leaf.public_key(), "the SVID has another key"

    def jwt(self) -> None:
        token = self.client.fetch_jwt_svid({"orders", "payments"}, timeout=PATIENCE).token
        bundle = self.client.fetch_jwt_bundles(timeout=PATIENCE).get_bundle_for_trust_domain(self.id.trust_domain)
        assert bundle is not None, "there is no bundle of the trust domain"
        for validate in (
            lambda audience: JwtSvid.parse_and_validate(token, bundle, {audience}),
            lambda audience: self.client.validate_jwt_svid(token, audience, timeout=PATIENCE),
        ):
            assert validate("payments").spiffe_id == self.id
            refused(PySpiffeError, lambda: validate("nobody"), "the token is taken for another audience")

    def rotation(self) -> None:
        def serial() -> int:
            return self.source.get_x509_context().default_svid.leaf.serial_number

        first = serial()
        rotated = Event()

        def look() -> None:
            if serial() != first:
                rotated.set()

        self.source.subscribe_for_updates(look)
        assert rotated.wait(PATIENCE), "no other SVID came"
        self.source.unsubscribe_for_updates(look)

    def mtls(self) -> None:
        with called_once(self.source, self.peer_id) as (address, _):
            answer = call(self.source, self.peer_address, self.peer_id, address)
        assert answer == f"{self.id}\n{self.peer_id}\n", f"the peer says {answer}"

    def mtls_refused(self) -> None:
        other = SpiffeId(f"spiffe://{self.id.trust_domain}/other")
        refused(TLSConnectionError, lambda: call(self.source, self.peer_address, other, ""), f"a peer was taken for {other}")
        with called_once(self.source, other) as (address, failures):
            answer = call(self.source, self.peer_address, self.peer_id, address)
        assert answer == f"{self.id}\nrefused\n", f"the peer says {answer}"
        assert failures, f"a caller was taken for {other}"


def refused(error: type[Exception], attempt: Callable[[], object], otherwise: str) -> None:
    try:
        attempt()
    except error:
        return
    raise AssertionError(otherwise)


def main() -> None:
    workload = Workload(json.load(sys.stdin))
    for name, step in {
        "an X.509-SVID has the ID, a chain to the bundle and its own key": workload.x509,
        "a JWT-SVID is valid for its audience only, here and for the agent": workload.jwt,
        "a rotated X.509-SVID arrives on the stream": workload.rotation,
        "mTLS with a peer, called and calling": workload.mtls,
        "mTLS with a peer of another ID is refused, called and calling": workload.mtls_refused,
    }.items():
        try:
            step()
        except Exception as error:
            print(json.dumps({"step": name, "error": repr(error)}), flush=True)
            sys.exit(1)
        print(json.dumps({"step": name}), flush=True)
    workload.source.close()
    workload.client.close()


main()
