package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

// servePeer serves clients that have the plan's PeerID, prints where, and ends with its stdin. A client sends one line: the
// address where it listens itself. The peer calls it there, and answers with two lines: the ID of its client, and what it read
// when it called (the ID that it has in the client's eyes) or `refused`.
func servePeer(p workloadPlan) error {
	w, err := newWorkload(p)
	if err != nil {
		return err
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", w.serverConfig(w.peerID))
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"address": listener.Addr().String()}); err != nil {
		return err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go w.answer(conn.(*tls.Conn))
		}
	}()
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// answer leaves a client without an answer that it does not trust, or that says nothing.
func (w *workload) answer(conn *tls.Conn) {
	defer conn.Close()
	ctx := context.Background()
	caller, err := callerOf(ctx, conn)
	if err != nil {
		return
	}
	address, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return
	}
	seen, err := w.call(ctx, strings.TrimSpace(address), w.peerID, "")
	if err != nil {
		seen = "refused"
	}
	fmt.Fprintf(conn, "%s\n%s\n", caller, seen)
}

// call makes an mTLS call, sends a line unless it is empty, and gives what the other side says until it ends the connection.
func (w *workload) call(ctx context.Context, address string, wanted spiffeid.ID, line string) (string, error) {
	config := tlsconfig.MTLSClientConfig(w.source, w.source, tlsconfig.AuthorizeID(wanted))
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if line != "" {
		if _, err := fmt.Fprintln(conn, line); err != nil {
			return "", err
		}
	}
	answer, err := io.ReadAll(conn)
	return strings.TrimSpace(string(answer)), err
}

// serveOnce lets one caller in, if it is `wanted`, and tells it its own ID; gives the address, and later how it went.
func (w *workload) serveOnce(ctx context.Context, wanted spiffeid.ID) (string, <-chan error, error) {
	listener, err := tls.Listen("tcp", "127.0.0.1:0", w.serverConfig(wanted))
	if err != nil {
		return "", nil, err
	}
	done := make(chan error, 1)
	go func() {
		defer listener.Close()
		conn, err := listener.Accept()
		if err != nil {
			done <- err
			return
		}
		defer conn.Close()
		caller, err := callerOf(ctx, conn.(*tls.Conn))
		if err == nil {
			_, err = fmt.Fprintln(conn, caller)
		}
		done <- err
	}()
	return listener.Addr().String(), done, nil
}

func (w *workload) serverConfig(wanted spiffeid.ID) *tls.Config {
	return tlsconfig.MTLSServerConfig(w.source, w.source, tlsconfig.AuthorizeID(wanted))
}

func callerOf(ctx context.Context, conn *tls.Conn) (spiffeid.ID, error) {
	if err := conn.HandshakeContext(ctx); err != nil {
		return spiffeid.ID{}, err
	}
	return x509svid.IDFromCert(conn.ConnectionState().PeerCertificates[0])
}
