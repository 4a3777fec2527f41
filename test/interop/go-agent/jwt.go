package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/jwtbundle"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	svidv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/svid/v1"
	"google.golang.org/grpc/codes"
)

func (l *life) jwt(ctx context.Context) error {
	bundle, err := l.jwtBundle(ctx)
	if err != nil {
		return err
	}
	client := svidv1.NewSVIDClient(l.few.conn)
	audience := []string{"orders", "payments"}
	response, err := client.NewJWTSVID(ctx, &svidv1.NewJWTSVIDRequest{EntryId: l.wanted[0].id, Audience: audience})
	if err != nil {
		return err
	}
	got := response.Svid
	svid, err := jwtsvid.ParseAndValidate(got.Token, bundle, audience[1:])
	if err != nil {
		return err
	}
	now := time.Now().Unix()
	switch {
	case svid.ID != l.wanted[0].spiffeID || got.Id.Path != svid.ID.Path() || fmt.Sprint(svid.Audience) != fmt.Sprint(audience):
		return fmt.Errorf("the token is of %s for %v, and said to be of %v", svid.ID, svid.Audience, got.Id)
	case got.ExpiresAt != svid.Expiry.Unix() || got.IssuedAt < now-30 || got.IssuedAt > now || got.ExpiresAt <= now:
		return fmt.Errorf("the token is from %d to %d, and is said to expire at %d", got.IssuedAt, svid.Expiry.Unix(), got.ExpiresAt)
	}
	if _, err := jwtsvid.ParseAndValidate(got.Token, bundle, []string{"web"}); err == nil {
		return fmt.Errorf("go-spiffe accepts the token for anybody")
	}
	_, err = client.NewJWTSVID(ctx, &svidv1.NewJWTSVIDRequest{EntryId: "no-such-entry", Audience: audience})
	if err := wantCode(err, codes.NotFound); err != nil {
		return err
	}
	_, err = client.NewJWTSVID(ctx, &svidv1.NewJWTSVIDRequest{EntryId: l.wanted[0].id})
	return wantCode(err, codes.InvalidArgument)
}

func (l *life) jwtBundle(ctx context.Context) (*jwtbundle.Bundle, error) {
	got, err := l.few.anonymousBundle(ctx)
	if err != nil {
		return nil, err
	}
	bundle := jwtbundle.New(l.trustDomain)
	for _, authority := range got.JwtAuthorities {
		key, err := x509.ParsePKIXPublicKey(authority.PublicKey)
		if err != nil {
			return nil, err
		}
		if err := bundle.AddJWTAuthority(authority.KeyId, key); err != nil {
			return nil, err
		}
	}
	return bundle, nil
}
