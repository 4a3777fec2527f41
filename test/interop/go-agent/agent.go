package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"net/url"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	agentv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/agent/v1"
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

// attest redeems a join token for the agent's first SVID and connects with it.
func (a *agent) attest(ctx context.Context, token string) error {
	conn, err := a.dialAnonymous()
	if err != nil {
		return err
	}
	defer conn.Close()
	result, key, err := attestWithToken(ctx, conn, token)
	if err != nil {
		return err
	}
	if result.Reattestable {
		return fmt.Errorf("a join token cannot be used again, but the agent is told to re-attest")
	}
	want := spiffeid.RequireFromPath(a.serverID.TrustDomain(), "/spire/agent/join_token/"+token)
	if a.svid, err = checkSVID(result.Svid, key, a.bundle, want); err != nil {
		return err
	}
	a.conn, err = a.dialWithSVID()
	return err
}

func attestWithToken(ctx context.Context, conn *grpc.ClientConn, token string) (*agentv1.AttestAgentResponse_Result, *ecdsa.PrivateKey, error) {
	key, csr, err := newCSR(nil)
	if err != nil {
		return nil, nil, err
	}
	stream, err := agentv1.NewAgentClient(conn).AttestAgent(ctx)
	if err != nil {
		return nil, nil, err
	}
	params := &agentv1.AttestAgentRequest_Params{
		Data:   &types.AttestationData{Type: "join_token", Payload: []byte(token)},
		Params: &agentv1.AgentX509SVIDParams{Csr: csr},
	}
	if err := stream.Send(&agentv1.AttestAgentRequest{Step: &agentv1.AttestAgentRequest_Params_{Params: params}}); err != nil {
		return nil, nil, err
	}
	response, err := stream.Recv()
	if err != nil {
		return nil, nil, err
	}
	if response.GetResult() == nil {
		return nil, nil, fmt.Errorf("a join token was answered by %v", response)
	}
	return response.GetResult(), key, stream.CloseSend()
}

// newCSR is of a new key; agents' own have no SPIFFE ID in them, workloads' have.
func newCSR(id *url.URL) (*ecdsa.PrivateKey, []byte, error) {
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
