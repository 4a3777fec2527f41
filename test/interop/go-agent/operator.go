package main

import (
	"context"
	"fmt"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	agentv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/agent/v1"
	bundlev1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/bundle/v1"
	entryv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/entry/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// operator is who may use the server's admin socket.
type operator struct{ conn *grpc.ClientConn }

type wantedEntry struct {
	id       string
	spiffeID spiffeid.ID
	hint     string
	dnsNames []string
	ttl      int32 // seconds
}

func (o operator) create(ctx context.Context, parent spiffeid.ID, wanted ...wantedEntry) error {
	request := &entryv1.BatchCreateEntryRequest{}
	for _, w := range wanted {
		request.Entries = append(request.Entries, &types.Entry{
			Id: w.id, SpiffeId: idMessage(w.spiffeID), ParentId: idMessage(parent), Hint: w.hint,
			DnsNames: w.dnsNames, X509SvidTtl: w.ttl, Selectors: []*types.Selector{{Type: "unix", Value: "uid:1000"}},
		})
	}
	response, err := entryv1.NewEntryClient(o.conn).BatchCreateEntry(ctx, request)
	if err != nil {
		return err
	}
	for i, result := range response.Results {
		if codes.Code(result.Status.Code) != codes.OK {
			return fmt.Errorf("the entry %q was refused: %v", wanted[i].id, result.Status)
		}
	}
	return nil
}

// token makes a join token that gives its agent another ID as well.
func (o operator) token(ctx context.Context, alias spiffeid.ID) (evidence, error) {
	request := &agentv1.CreateJoinTokenRequest{Ttl: 600, AgentId: idMessage(alias)}
	response, err := agentv1.NewAgentClient(o.conn).CreateJoinToken(ctx, request)
	if err != nil {
		return evidence{}, err
	}
	return joinToken(response.Value), nil
}

func (o operator) ban(ctx context.Context, id spiffeid.ID) error {
	_, err := agentv1.NewAgentClient(o.conn).BanAgent(ctx, &agentv1.BanAgentRequest{Id: idMessage(id)})
	return err
}

func (o operator) evict(ctx context.Context, id spiffeid.ID) error {
	_, err := agentv1.NewAgentClient(o.conn).DeleteAgent(ctx, &agentv1.DeleteAgentRequest{Id: idMessage(id)})
	return err
}

func (o operator) bundle(ctx context.Context) (*types.Bundle, error) {
	return bundlev1.NewBundleClient(o.conn).GetBundle(ctx, &bundlev1.GetBundleRequest{})
}

func idMessage(id spiffeid.ID) *types.SPIFFEID {
	return &types.SPIFFEID{TrustDomain: id.TrustDomain().Name(), Path: id.Path()}
}
