package main

import (
	"context"
	"fmt"

	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc/codes"
)

// The steps of nodes that prove possession of a certificate (x509pop).

func (l *life) attestECDSA(ctx context.Context) error {
	if err := l.ecdsa.attest(ctx, l.ecdsaEvidence); err != nil {
		return err
	}
	entries, _, err := l.sync(ctx, l.ecdsa, 1)
	if err == nil && entries["on-certificate"] == nil {
		return fmt.Errorf("its entry is missing among %v", entries)
	}
	return err
}

func (l *life) attestRSA(ctx context.Context) error {
	if err := l.rsa.attest(ctx, l.rsaEvidence); err != nil {
		return err
	}
	return call(ctx, l.rsa.conn)
}

func (l *life) unknownCA(ctx context.Context) error {
	shown, err := l.possession(unknownNode)
	if err != nil {
		return err
	}
	return l.refused(ctx, shown, codes.InvalidArgument, codes.PermissionDenied, codes.Internal)
}

// wrongKey shows a good certificate and proves the possession of another key of the same kind.
func (l *life) wrongKey(ctx context.Context) error {
	stranger, err := newCA("stranger")
	if err != nil {
		return err
	}
	shown := l.ecdsaEvidence
	shown.answer = func(challenge []byte) ([]byte, error) { return proof(stranger.key, challenge) }
	return l.refused(ctx, shown, codes.InvalidArgument, codes.PermissionDenied, codes.Internal)
}

func (l *life) reattest(ctx context.Context) error {
	old := l.ecdsa.conn
	defer old.Close()
	if err := l.ecdsa.attest(ctx, l.ecdsaEvidence); err != nil {
		return err
	}
	if _, _, err := l.sync(ctx, l.ecdsa, 1); err != nil {
		return err
	}
	return wantDenied(call(ctx, old), types.PermissionDeniedDetails_AGENT_NOT_ACTIVE)
}

func (l *life) evict(ctx context.Context) error {
	if err := l.operator.evict(ctx, l.ecdsa.svid.ID); err != nil {
		return err
	}
	if err := wantDenied(call(ctx, l.ecdsa.conn), types.PermissionDeniedDetails_AGENT_NOT_ATTESTED); err != nil {
		return err
	}
	if err := l.ecdsa.attest(ctx, l.ecdsaEvidence); err != nil {
		return err
	}
	return call(ctx, l.ecdsa.conn)
}

func (l *life) banPop(ctx context.Context) error {
	if err := l.operator.ban(ctx, l.ecdsa.svid.ID); err != nil {
		return err
	}
	if err := wantDenied(call(ctx, l.ecdsa.conn), types.PermissionDeniedDetails_AGENT_BANNED); err != nil {
		return err
	}
	return l.refused(ctx, l.ecdsaEvidence, codes.PermissionDenied)
}
