package main

import (
	"context"
	"fmt"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

// workloadPlan is what every client of the Workload API is given, in whatever language.
type workloadPlan struct {
	Socket      string // of the agent, as a URI
	ID          string // what this workload is
	PeerID      string // what its peer is
	PeerAddress string // host:port
}

// workload is a client of the Workload API that has its plan.
type workload struct {
	client      *workloadapi.Client
	source      *workloadapi.X509Source
	id, peerID  spiffeid.ID
	peerAddress string
}

func workloadSteps(p workloadPlan) ([]step, error) {
	w, err := newWorkload(p)
	if err != nil {
		return nil, err
	}
	return []step{
		{"an X.509-SVID has the ID, a chain to the bundle and its own key", w.x509},
		{"a JWT-SVID is valid for its audience only, here and for the agent", w.jwt},
		{"a rotated X.509-SVID arrives on the stream", w.rotation},
		{"mTLS with a peer, called and calling", w.mtls},
		{"mTLS with a peer of another ID is refused, called and calling", w.mtlsRefused},
	}, nil
}

func newWorkload(p workloadPlan) (*workload, error) {
	id, err := spiffeid.FromString(p.ID)
	if err != nil {
		return nil, err
	}
	peerID, err := spiffeid.FromString(p.PeerID)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	client, err := workloadapi.New(ctx, workloadapi.WithAddr(p.Socket))
	if err != nil {
		return nil, err
	}
	source, err := workloadapi.NewX509Source(ctx, workloadapi.WithClient(client))
	if err != nil {
		return nil, err
	}
	return &workload{client, source, id, peerID, p.PeerAddress}, nil
}

func (w *workload) x509(ctx context.Context) error {
	svid, err := w.client.FetchX509SVID(ctx)
	if err != nil {
		return err
	}
	bundles, err := w.client.FetchX509Bundles(ctx)
	if err != nil {
		return err
	}
	id, _, err := x509svid.Verify(svid.Certificates, bundles)
	if err != nil {
		return err
	}
	if id != w.id || svid.ID != w.id || !sameKey(svid.PrivateKey, svid.Certificates[0].PublicKey) {
		return fmt.Errorf("the SVID is of %s, and of another key: %t", id, !sameKey(svid.PrivateKey, svid.Certificates[0].PublicKey))
	}
	return nil
}

func (w *workload) jwt(ctx context.Context) error {
	svid, err := w.client.FetchJWTSVID(ctx, jwtsvid.Params{Audience: "orders", ExtraAudiences: []string{"payments"}})
	if err != nil {
		return err
	}
	bundles, err := w.client.FetchJWTBundles(ctx)
	if err != nil {
		return err
	}
	token := svid.Marshal()
	for name, validate := range map[string]func(audience string) (*jwtsvid.SVID, error){
		"go-spiffe": func(audience string) (*jwtsvid.SVID, error) {
			return jwtsvid.ParseAndValidate(token, bundles, []string{audience})
		},
		"the agent": func(audience string) (*jwtsvid.SVID, error) { return w.client.ValidateJWTSVID(ctx, token, audience) },
	} {
		valid, err := validate("payments")
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if valid.ID != w.id {
			return fmt.Errorf("%s: the token is of %s", name, valid.ID)
		}
		if _, err := validate("nobody"); err == nil {
			return fmt.Errorf("%s takes the token for another audience", name)
		}
	}
	return nil
}

func (w *workload) rotation(ctx context.Context) error {
	first, err := w.source.GetX509SVID()
	if err != nil {
		return err
	}
	for {
		select {
		case <-w.source.Updated():
		case <-ctx.Done():
			return ctx.Err()
		}
		svid, err := w.source.GetX509SVID()
		if err != nil {
			return err
		}
		if svid.Certificates[0].SerialNumber.Cmp(first.Certificates[0].SerialNumber) != 0 {
			return nil
		}
	}
}

func (w *workload) mtls(ctx context.Context) error {
	address, done, err := w.serveOnce(ctx, w.peerID)
	if err != nil {
		return err
	}
	answer, err := w.call(ctx, w.peerAddress, w.peerID, address)
	if err != nil {
		return err
	}
	if want := w.id.String() + "\n" + w.peerID.String(); answer != want {
		return fmt.Errorf("the peer says %q, not %q", answer, want)
	}
	return <-done
}

// mtlsRefused wants a peer of another ID than it has.
func (w *workload) mtlsRefused(ctx context.Context) error {
	other := spiffeid.RequireFromPath(w.id.TrustDomain(), "/other")
	if _, err := w.call(ctx, w.peerAddress, other, ""); err == nil {
		return fmt.Errorf("a peer was taken for %s", other)
	}
	address, done, err := w.serveOnce(ctx, other)
	if err != nil {
		return err
	}
	answer, err := w.call(ctx, w.peerAddress, w.peerID, address)
	if err != nil {
		return err
	}
	if want := w.id.String() + "\nrefused"; answer != want {
		return fmt.Errorf("the peer says %q, not %q", answer, want)
	}
	if <-done == nil {
		return fmt.Errorf("a caller was taken for %s", other)
	}
	return nil
}
