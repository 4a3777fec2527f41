package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	agentv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/agent/v1"
	bundlev1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/bundle/v1"
	entryv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/entry/v1"
	localauthorityv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/localauthority/v1"
	svidv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/svid/v1"
	trustdomainv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/trustdomain/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// aliases are entries that the identities of join tokens bring: each node has one, with its agent as the parent, as in SPIRE.
const aliases = 1

// life is what the steps share: two nodes, the operator, and what was found out on the way.
type life struct {
	plan
	few, many *agent
	admin     *grpc.ClientConn
	renewed   *x509svid.SVID
}

func scenario(p plan) ([]step, error) {
	trustDomain, err := spiffeid.TrustDomainFromString(p.TrustDomain)
	if err != nil {
		return nil, err
	}
	bundle, err := x509bundle.Parse(trustDomain, []byte(p.Bundle))
	if err != nil {
		return nil, err
	}
	admin, err := dialAdmin(p.AdminSocket)
	if err != nil {
		return nil, err
	}
	serverID := spiffeid.RequireFromPath(trustDomain, "/spire/server")
	node := func() *agent { return &agent{server: p.Server, serverID: serverID, bundle: bundle} }
	l := &life{plan: p, few: node(), many: node(), admin: admin}
	return []step{
		{"the server is its SPIFFE ID and no other", l.otherServer},
		{"a join token lets a node in", func(ctx context.Context) error { return l.few.attest(ctx, l.FewToken) }},
		{"a used join token is refused", l.usedToken},
		{"the bundle is the one that was pinned", l.pinnedBundle},
		{"a few entries come whole", l.fewEntries},
		{"a batch of SVIDs is answered in order, a missing entry by NotFound", l.batch},
		{"what is not built yet is Unimplemented", l.unimplemented},
		{"after a renewal the old SVID counts until the new one is used", l.renew},
		{"then the old SVID is refused: AGENT_NOT_ACTIVE", l.oldSVID},
		{"many entries come in pages", l.manyEntries},
		{"a banned agent is refused on its open connection and stream: AGENT_BANNED", l.ban},
		{"a deleted agent is refused on its open connection: AGENT_NOT_ATTESTED", l.delete},
	}, nil
}

func (l *life) otherServer(ctx context.Context) error {
	other := spiffeid.RequireFromPath(l.few.serverID.TrustDomain(), "/spire/server/other")
	conn, err := dialServer(l.Server, l.few.bundle, other)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = bundlev1.NewBundleClient(conn).GetBundle(ctx, &bundlev1.GetBundleRequest{})
	if err == nil || !strings.Contains(err.Error(), "unexpected ID") {
		return fmt.Errorf("wanted another server, got %v", err)
	}
	return nil
}

func (l *life) usedToken(ctx context.Context) error {
	// Showing its SVID is how an agent says that it has it.
	if err := call(ctx, l.few.conn); err != nil {
		return err
	}
	conn, err := l.few.dialAnonymous()
	if err != nil {
		return err
	}
	defer conn.Close()
	_, _, err = attestWithToken(ctx, conn, l.FewToken)
	return wantCode(err, codes.InvalidArgument)
}

func (l *life) pinnedBundle(ctx context.Context) error {
	conn, err := l.few.dialAnonymous()
	if err != nil {
		return err
	}
	defer conn.Close()
	got, err := bundlev1.NewBundleClient(conn).GetBundle(ctx, &bundlev1.GetBundleRequest{})
	if err != nil {
		return err
	}
	pinned := l.few.bundle.X509Authorities()
	if got.TrustDomain != l.TrustDomain || len(got.X509Authorities) != len(pinned) || got.SequenceNumber == 0 {
		return fmt.Errorf("got %d authorities of %q, sequence number %d", len(got.X509Authorities), got.TrustDomain, got.SequenceNumber)
	}
	for i, authority := range got.X509Authorities {
		if authority.Tainted || !bytes.Equal(authority.Asn1, pinned[i].Raw) {
			return fmt.Errorf("authority %d is another one, or tainted", i)
		}
	}
	return nil
}

func (l *life) fewEntries(ctx context.Context) error {
	entries, paged, err := syncEntries(ctx, l.few.conn)
	if err != nil {
		return err
	}
	if paged || len(entries) != len(l.Few)+aliases {
		return fmt.Errorf("got %d entries, in pages: %t", len(entries), paged)
	}
	for _, want := range l.Few {
		got := entries[want.ID]
		switch {
		case got == nil:
			return fmt.Errorf("the entry %q is missing", want.ID)
		case "spiffe://"+got.SpiffeId.TrustDomain+got.SpiffeId.Path != want.SpiffeID || got.Hint != want.Hint || len(got.Selectors) == 0 || got.CreatedAt == 0:
			return fmt.Errorf("the entry %q says %v", want.ID, got)
		case got.ParentId != nil || got.X509SvidTtl != 0 || len(got.DnsNames) != 0:
			return fmt.Errorf("the entry %q has what the mask leaves out: %v", want.ID, got)
		}
	}
	return nil
}

// batch asks for every entry and in the middle for one that does not exist.
func (l *life) batch(ctx context.Context) error {
	wanted := []wantedEntry{l.Few[0], {ID: "no-such-entry", SpiffeID: "spiffe://" + l.TrustDomain + "/nobody"}}
	wanted = append(wanted, l.Few[1:]...)
	answers, err := requestSVIDs(ctx, l.few.conn, wanted)
	if err != nil {
		return err
	}
	for i, want := range wanted {
		answer := answers[i]
		if i == 1 {
			if codes.Code(answer.result.Status.Code) != codes.NotFound || answer.result.Svid != nil {
				return fmt.Errorf("the missing entry was answered by %v", answer.result)
			}
			continue
		}
		svid, err := checkSVID(answer.result.Svid, answer.key, l.few.bundle, spiffeid.RequireFromString(want.SpiffeID))
		if err != nil {
			return fmt.Errorf("%v: %w", answer.result.Status, err)
		}
		if err := checkLifetime(svid, want.TTL); err != nil {
			return err
		}
		if names := svid.Certificates[0].DNSNames; fmt.Sprint(names) != fmt.Sprint(want.DNSNames) {
			return fmt.Errorf("the DNS names of %s are %v", svid.ID, names)
		}
	}
	return nil
}

func (l *life) unimplemented(ctx context.Context) error {
	_, wit := svidv1.NewSVIDClient(l.few.conn).BatchNewWITSVID(ctx, &svidv1.BatchNewWITSVIDRequest{})
	_, federation := trustdomainv1.NewTrustDomainClient(l.admin).ListFederationRelationships(ctx, &trustdomainv1.ListFederationRelationshipsRequest{})
	_, authority := localauthorityv1.NewLocalAuthorityClient(l.admin).GetX509AuthorityState(ctx, &localauthorityv1.GetX509AuthorityStateRequest{})
	for _, err := range []error{wit, federation, authority} {
		if err := wantCode(err, codes.Unimplemented); err != nil {
			return err
		}
	}
	return nil
}

func (l *life) renew(ctx context.Context) error {
	key, csr, err := newCSR(nil)
	if err != nil {
		return err
	}
	request := &agentv1.RenewAgentRequest{Params: &agentv1.AgentX509SVIDParams{Csr: csr}}
	response, err := agentv1.NewAgentClient(l.few.conn).RenewAgent(ctx, request)
	if err != nil {
		return err
	}
	if l.renewed, err = checkSVID(response.Svid, key, l.few.bundle, l.few.svid.ID); err != nil {
		return err
	}
	if err := call(ctx, l.few.conn); err != nil {
		return fmt.Errorf("with the old SVID: %w", err)
	}
	return nil
}

func (l *life) oldSVID(ctx context.Context) error {
	old := l.few.conn
	defer old.Close()
	l.few.svid = l.renewed
	conn, err := l.few.dialWithSVID()
	if err != nil {
		return err
	}
	l.few.conn = conn
	if err := call(ctx, conn); err != nil {
		return fmt.Errorf("with the new SVID: %w", err)
	}
	return wantDenied(call(ctx, old), types.PermissionDeniedDetails_AGENT_NOT_ACTIVE)
}

func (l *life) manyEntries(ctx context.Context) error {
	if err := l.many.attest(ctx, l.ManyToken); err != nil {
		return err
	}
	entries, paged, err := syncEntries(ctx, l.many.conn)
	if err != nil {
		return err
	}
	if !paged || len(entries) != l.ManyCount+aliases {
		return fmt.Errorf("got %d entries, in pages: %t", len(entries), paged)
	}
	return nil
}

func (l *life) ban(ctx context.Context) error {
	stream, err := entryv1.NewEntryClient(l.few.conn).SyncAuthorizedEntries(ctx)
	if err != nil {
		return err
	}
	if _, err := exchange(stream, &entryv1.SyncAuthorizedEntriesRequest{OutputMask: agentMask}); err != nil {
		return err
	}
	if _, err := agentv1.NewAgentClient(l.admin).BanAgent(ctx, &agentv1.BanAgentRequest{Id: idMessage(l.few.svid.ID)}); err != nil {
		return err
	}
	if err := wantDenied(call(ctx, l.few.conn), types.PermissionDeniedDetails_AGENT_BANNED); err != nil {
		return err
	}
	_, err = exchange(stream, &entryv1.SyncAuthorizedEntriesRequest{Ids: []string{l.Few[0].ID}})
	return wantDenied(err, types.PermissionDeniedDetails_AGENT_BANNED)
}

func (l *life) delete(ctx context.Context) error {
	if _, err := agentv1.NewAgentClient(l.admin).DeleteAgent(ctx, &agentv1.DeleteAgentRequest{Id: idMessage(l.many.svid.ID)}); err != nil {
		return err
	}
	return wantDenied(call(ctx, l.many.conn), types.PermissionDeniedDetails_AGENT_NOT_ATTESTED)
}

func idMessage(id spiffeid.ID) *types.SPIFFEID {
	return &types.SPIFFEID{TrustDomain: id.TrustDomain().Name(), Path: id.Path()}
}
