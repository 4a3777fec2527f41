"""mTLS with spiffe-tls, as the peer in Go (peer.go) wants it."""

from contextlib import contextmanager
from threading import Thread

from cryptography.x509 import SubjectAlternativeName, UniformResourceIdentifier
from OpenSSL import SSL
from spiffe import SpiffeId, X509Source
from spiffetls import ListenOptions, ServerTlsMode, dial, listen
from spiffetls.tlsconfig.authorize import authorize_id


def call(source: X509Source, address: str, peer: SpiffeId, line: str) -> str:
    """Makes an mTLS call, sends a line, and gives what the other side says until it ends the connection."""
    connection = dial(address, source, authorize_fn=authorize_id(peer))
    try:
        connection.sendall(f"{line}\n".encode())
        return read_all(connection)
    finally:
        connection.close()


@contextmanager
def called_once(source: X509Source, wanted: SpiffeId):
    """Lets one caller in, if it is `wanted`, and tells it its own ID. Gives the address, and a list that a failure comes into."""
    options = ListenOptions(tls_mode=ServerTlsMode.MTLS, authorize_fn=authorize_id(wanted))
    listener = listen("127.0.0.1:0", source, options)
    failures: list[Exception] = []

    def serve() -> None:
        try:
            connection, _ = listener.accept()
            connection.do_handshake()
            certificate = connection.get_peer_certificate(as_cryptography=True)
            connection.sendall(f"{spiffe_id_of(certificate)}\n".encode())
            connection.shutdown()
            connection.close()
        except SSL.Error as error:
            failures.append(error)

    thread = Thread(target=serve, daemon=True)
    thread.start()
    host, port = listener.getsockname()
    yield f"{host}:{port}", failures
    thread.join(30)
    listener.close()


def spiffe_id_of(certificate) -> str:
    names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    [uri] = names.get_values_for_type(UniformResourceIdentifier)
    return uri


def read_all(connection: SSL.Connection) -> str:
    answer = b""
    while True:
        try:
            answer += connection.recv(4096)
        except SSL.ZeroReturnError:
            return answer.decode()
