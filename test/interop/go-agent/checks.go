package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	entryv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/entry/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// checkSVID holds an answer against the key it was asked for, the bundle, the identity and the profile of X.509-SVIDs.
func checkSVID(got *types.X509SVID, key crypto.Signer, bundle *x509bundle.Bundle, want spiffeid.ID) (*x509svid.SVID, error) {
	if got == nil {
		return nil, fmt.Errorf("there is no SVID in the answer")
	}
	id, _, err := x509svid.ParseAndVerify(got.CertChain, bundle)
	if err != nil {
		return nil, err
	}
	chain := make([]*x509.Certificate, 0, len(got.CertChain))
	for _, der := range got.CertChain {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		chain = append(chain, certificate)
	}
	leaf := chain[0]
	switch {
	case id != want || "spiffe://"+got.Id.TrustDomain+got.Id.Path != want.String():
		return nil, fmt.Errorf("the SVID is %s and said to be %v, not %s", id, got.Id, want)
	case !sameKey(key, leaf.PublicKey):
		return nil, fmt.Errorf("the SVID has another key than its CSR")
	case !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth) || !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageClientAuth):
		return nil, fmt.Errorf("the SVID's extended key usages are %v", leaf.ExtKeyUsage)
	case leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 || leaf.IsCA || len(leaf.AuthorityKeyId) == 0:
		return nil, fmt.Errorf("the SVID does not have the profile of a leaf")
	case got.ExpiresAt != leaf.NotAfter.Unix():
		return nil, fmt.Errorf("the SVID expires at %d and is said to at %d", leaf.NotAfter.Unix(), got.ExpiresAt)
	}
	return &x509svid.SVID{ID: id, Certificates: chain, PrivateKey: key}, nil
}

func sameKey(private crypto.Signer, public crypto.PublicKey) bool {
	own, ok := private.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && own.Equal(public)
}

// checkLifetime allows for the time that the call took.
func checkLifetime(svid *x509svid.SVID, seconds int32) error {
	left := time.Until(svid.Certificates[0].NotAfter)
	if want := time.Duration(seconds) * time.Second; left > want || left < want-time.Minute {
		return fmt.Errorf("the SVID of %s lasts %s more, not %s", svid.ID, left, want)
	}
	return nil
}

// wantCode holds the status of a call that had to fail.
func wantCode(err error, want codes.Code) error {
	if status.Code(err) != want {
		return fmt.Errorf("wanted %s, got %v", want, err)
	}
	return nil
}

// wantDenied holds the detail that makes SPIRE's agents attest anew or shut down.
func wantDenied(err error, want types.PermissionDeniedDetails_Reason) error {
	if err := wantCode(err, codes.PermissionDenied); err != nil {
		return err
	}
	for _, detail := range status.Convert(err).Details() {
		if denied, ok := detail.(*types.PermissionDeniedDetails); ok && denied.Reason == want {
			return nil
		}
	}
	return fmt.Errorf("wanted %s, got %v with the details %v", want, err, status.Convert(err).Details())
}

// call makes the smallest call that only agents may make.
func call(ctx context.Context, conn *grpc.ClientConn) error {
	_, err := entryv1.NewEntryClient(conn).GetAuthorizedEntries(ctx, &entryv1.GetAuthorizedEntriesRequest{})
	return err
}
