package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"net/url"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	agentv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/agent/v1"
	bundlev1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/bundle/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// agent is one node's: what it trusts and, once attested, its SVID and the connection that shows it.
type agent struct {
	server   string
	serverID spiffeid.ID
	bundle   *x509bundle.Bundle
	svid     *x509svid.SVID
	conn     *grpc.ClientConn
}

// dialAnonymous connects as agents do before they have an SVID.
func (a *agent) dialAnonymous() (*grpc.ClientConn, error) {
	return dialServer(a.server, a.bundle, a.serverID)
}

func dialServer(address string, bundle *x509bundle.Bundle, id spiffeid.ID) (*grpc.ClientConn, error) {
	config := tlsconfig.TLSClientConfig(bundle, tlsconfig.AuthorizeID(id))
	return grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(config)))
}

// dialWithSVID connects anew with the SVID that the agent has now.
func (a *agent) dialWithSVID() (*grpc.ClientConn, error) {
	config := tlsconfig.MTLSClientConfig(a.svid, a.bundle, tlsconfig.AuthorizeID(a.serverID))
	return grpc.NewClient(a.server, grpc.WithTransportCredentials(credentials.NewTLS(config)))
}

// dialAdmin connects to the socket of the server's operator.
func dialAdmin(socket string) (*grpc.ClientConn, error) {
	return grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
}

// anonymousBundle is what a node is told before it has an SVID.
func (a *agent) anonymousBundle(ctx context.Context) (*types.Bundle, error) {
	conn, err := a.dialAnonymous()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return bundlev1.NewBundleClient(conn).GetBundle(ctx, &bundlev1.GetBundleRequest{})
}

// renew gives the agent's next SVID, with which it is not connected yet.
func (a *agent) renew(ctx context.Context) (*x509svid.SVID, error) {
	key, csr, err := newCSR(nil)
	if err != nil {
		return nil, err
	}
	request := &agentv1.RenewAgentRequest{Params: &agentv1.AgentX509SVIDParams{Csr: csr}}
	response, err := agentv1.NewAgentClient(a.conn).RenewAgent(ctx, request)
	if err != nil {
		return nil, err
	}
	return checkSVID(response.Svid, key, a.bundle, a.svid.ID)
}

// newCSR is of a new key; agents' own have no SPIFFE ID in them, workloads' have.
func newCSR(id *url.URL) (crypto.Signer, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.CertificateRequest{}
	if id != nil {
		template.URIs = []*url.URL{id}
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	return key, csr, err
}

// pause is short, and ends with an error when there is no time left.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("waited too long: %w", ctx.Err())
	case <-time.After(250 * time.Millisecond):
		return nil
	}
}
