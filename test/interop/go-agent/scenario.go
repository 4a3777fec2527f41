package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	bundlev1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/bundle/v1"
	entryv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/entry/v1"
	localauthorityv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/localauthority/v1"
	svidv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/svid/v1"
	trustdomainv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/trustdomain/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// aliases are entries that the IDs of join tokens bring: each node has one, with its agent as the parent, as in SPIRE.
const aliases = 1

// manyCount is of entries that come in more than two pages.
const manyCount = 1001

// life is what the steps share: nodes that joined by token and by certificate, the operator, and what was found out on the way.
type life struct {
	plan
	trustDomain                spiffeid.TrustDomain
	operator                   operator
	few, many, ecdsa, rsa      *agent
	fewToken, manyToken        evidence
	ecdsaEvidence, rsaEvidence evidence
	wanted                     []wantedEntry
	renewed                    *x509svid.SVID
}

func scenario(p plan) ([]step, error) {
	trustDomain, err := spiffeid.TrustDomainFromString(p.TrustDomain)
	if err != nil {
		return nil, err
	}
	admin, err := dialAdmin(p.AdminSocket)
	if err != nil {
		return nil, err
	}
	l := &life{plan: p, trustDomain: trustDomain, operator: operator{admin}}
	steps := []step{
		{"an operator makes entries and join tokens", l.prepare},
		{"the server is its SPIFFE ID and no other", l.otherServer},
		{"a join token lets a node in", func(ctx context.Context) error { return l.few.attest(ctx, l.fewToken) }},
		{"a used join token is refused", l.usedToken},
		{"the bundle is the one that was pinned", l.pinnedBundle},
		{"a few entries come whole", l.fewEntries},
		{"a batch of SVIDs is answered in order, a missing entry by NotFound", l.batch},
		{"a JWT-SVID is verified by go-spiffe, and one for a missing entry is NotFound", l.jwt},
		{"what is not built yet is Unimplemented", l.unimplemented},
		{"after a renewal the old SVID counts until the new one is used", l.renew},
		{"then the old SVID is refused: AGENT_NOT_ACTIVE", l.oldSVID},
		{"many entries come in pages", l.manyEntries},
		{"a node proves possession of a certificate with an ECDSA key", l.attestECDSA},
		{"a node proves possession of a certificate with an RSA key", l.attestRSA},
		{"a certificate of another CA is refused", l.unknownCA},
		{"the proof of another key is refused", l.wrongKey},
		{"a node with a certificate attests again, keeps its entries, and its old SVID is refused", l.reattest},
		{"an evicted agent is refused on its open connection (AGENT_NOT_ATTESTED) and attests again", l.evict},
		{"a banned agent is refused on its open connection (AGENT_BANNED) and cannot attest again", l.banPop},
		{"a banned agent is refused on its open stream: AGENT_BANNED", l.ban},
		{"a deleted agent is refused on its open connection: AGENT_NOT_ATTESTED", l.delete},
	}
	if p.SPIRE {
		// SPIRE has them; and it asks who somebody is when a stream opens only.
		left := []string{"what is not built yet is Unimplemented", "a banned agent is refused on its open stream: AGENT_BANNED"}
		steps = slices.DeleteFunc(steps, func(s step) bool { return slices.Contains(left, s.name) })
	}
	return steps, nil
}

func (l *life) id(path string) spiffeid.ID { return spiffeid.RequireFromPath(l.trustDomain, path) }

func (l *life) prepare(ctx context.Context) error {
	bundle, err := l.operator.bundle(ctx)
	if err != nil {
		return err
	}
	pinned := x509bundle.New(l.trustDomain)
	for _, authority := range bundle.X509Authorities {
		certificate, err := x509.ParseCertificate(authority.Asn1)
		if err != nil {
			return err
		}
		pinned.AddX509Authority(certificate)
	}
	node := func() *agent { return &agent{server: l.Server, serverID: l.id("/spire/server"), bundle: pinned} }
	l.few, l.many, l.ecdsa, l.rsa = node(), node(), node(), node()
	l.wanted = []wantedEntry{
		{"web", l.id("/web"), "in", []string{"web.shop.example"}, 600},
		{"orders", l.id("/orders"), "", nil, 3600},
	}
	if l.fewToken, err = l.operator.token(ctx, l.id("/node/few")); err != nil {
		return err
	}
	if l.manyToken, err = l.operator.token(ctx, l.id("/node/many")); err != nil {
		return err
	}
	if l.ecdsaEvidence, err = l.possession(ecdsaNode); err != nil {
		return err
	}
	if l.rsaEvidence, err = l.possession(rsaNode); err != nil {
		return err
	}
	if err := l.operator.create(ctx, l.id("/node/few"), l.wanted...); err != nil {
		return err
	}
	onCertificate := wantedEntry{"on-certificate", l.id("/on-certificate"), "", nil, 600}
	if err := l.operator.create(ctx, l.id(l.ecdsaEvidence.path), onCertificate); err != nil {
		return err
	}
	many := make([]wantedEntry, manyCount)
	for i := range many {
		many[i] = wantedEntry{fmt.Sprintf("many-%d", i), l.id(fmt.Sprintf("/many/%d", i)), "", nil, 600}
	}
	for part := range slices.Chunk(many, 500) {
		if err := l.operator.create(ctx, l.id("/node/many"), part...); err != nil {
			return err
		}
	}
	return nil
}

func (l *life) possession(file string) (evidence, error) {
	node, err := readNode(filepath.Join(l.PKI, file))
	if err != nil {
		return evidence{}, err
	}
	return x509pop(node)
}

func (l *life) otherServer(ctx context.Context) error {
	conn, err := dialServer(l.Server, l.few.bundle, l.id("/spire/server/other"))
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
	return l.refused(ctx, l.fewToken, codes.InvalidArgument)
}

// refused holds that evidence lets nobody in. Any of the codes will do.
func (l *life) refused(ctx context.Context, shown evidence, wanted ...codes.Code) error {
	conn, err := l.few.dialAnonymous()
	if err != nil {
		return err
	}
	defer conn.Close()
	_, _, err = attestPatiently(ctx, conn, shown)
	if !slices.Contains(wanted, status.Code(err)) {
		return fmt.Errorf("wanted one of %v, got %v", wanted, err)
	}
	return nil
}

func (l *life) pinnedBundle(ctx context.Context) error {
	got, err := l.few.anonymousBundle(ctx)
	if err != nil {
		return err
	}
	pinned := l.few.bundle.X509Authorities()
	if got.TrustDomain != l.TrustDomain || len(got.X509Authorities) != len(pinned) {
		return fmt.Errorf("got %d authorities of %q", len(got.X509Authorities), got.TrustDomain)
	}
	if !l.SPIRE && (got.SequenceNumber == 0 || got.RefreshHint == 0) {
		return fmt.Errorf("sequence number %d, refresh hint %d", got.SequenceNumber, got.RefreshHint)
	}
	for i, authority := range got.X509Authorities {
		if authority.Tainted || !slices.Equal(authority.Asn1, pinned[i].Raw) {
			return fmt.Errorf("authority %d is another one, or tainted", i)
		}
	}
	return nil
}

func (l *life) fewEntries(ctx context.Context) error {
	entries, paged, err := l.sync(ctx, l.few, len(l.wanted)+aliases)
	if err != nil {
		return err
	}
	if paged {
		return fmt.Errorf("%d entries came in pages", len(entries))
	}
	for _, want := range l.wanted {
		got := entries[want.id]
		switch {
		case got == nil:
			return fmt.Errorf("the entry %q is missing", want.id)
		case "spiffe://"+got.SpiffeId.TrustDomain+got.SpiffeId.Path != want.spiffeID.String() || got.Hint != want.hint || len(got.Selectors) == 0 || got.CreatedAt == 0:
			return fmt.Errorf("the entry %q says %v", want.id, got)
		case got.ParentId != nil || got.X509SvidTtl != 0 || len(got.DnsNames) != 0:
			return fmt.Errorf("the entry %q has what the mask leaves out: %v", want.id, got)
		}
	}
	return nil
}

// sync gives exactly as many entries as are wanted; SPIRE's server, which reads its store every few seconds, is given time.
func (l *life) sync(ctx context.Context, a *agent, want int) (map[string]*types.Entry, bool, error) {
	for {
		entries, paged, err := syncEntries(ctx, a.conn)
		if err == nil && len(entries) != want {
			err = fmt.Errorf("got %d entries instead of %d", len(entries), want)
		}
		if err == nil || !l.SPIRE || pause(ctx) != nil {
			return entries, paged, err
		}
	}
}

// batch asks for every entry and in the middle for one that does not exist.
func (l *life) batch(ctx context.Context) error {
	wanted := slices.Insert(slices.Clone(l.wanted), 1, wantedEntry{id: "no-such-entry", spiffeID: l.id("/nobody")})
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
		svid, err := checkSVID(answer.result.Svid, answer.key, l.few.bundle, want.spiffeID)
		if err != nil {
			return fmt.Errorf("%v: %w", answer.result.Status, err)
		}
		if err := checkLifetime(svid, want.ttl); err != nil {
			return err
		}
		if names := svid.Certificates[0].DNSNames; !slices.Equal(names, want.dnsNames) {
			return fmt.Errorf("the DNS names of %s are %v", svid.ID, names)
		}
	}
	return nil
}

func (l *life) unimplemented(ctx context.Context) error {
	_, wit := svidv1.NewSVIDClient(l.few.conn).BatchNewWITSVID(ctx, &svidv1.BatchNewWITSVIDRequest{})
	_, federation := trustdomainv1.NewTrustDomainClient(l.operator.conn).ListFederationRelationships(ctx, &trustdomainv1.ListFederationRelationshipsRequest{})
	_, authority := localauthorityv1.NewLocalAuthorityClient(l.operator.conn).GetX509AuthorityState(ctx, &localauthorityv1.GetX509AuthorityStateRequest{})
	for _, err := range []error{wit, federation, authority} {
		if err := wantCode(err, codes.Unimplemented); err != nil {
			return err
		}
	}
	return nil
}

func (l *life) renew(ctx context.Context) error {
	var err error
	if l.renewed, err = l.few.renew(ctx); err != nil {
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
	if err := l.many.attest(ctx, l.manyToken); err != nil {
		return err
	}
	_, paged, err := l.sync(ctx, l.many, manyCount+aliases)
	if err == nil && !paged {
		return fmt.Errorf("all entries came at once")
	}
	return err
}

func (l *life) ban(ctx context.Context) error {
	stream, err := entryv1.NewEntryClient(l.few.conn).SyncAuthorizedEntries(ctx)
	if err != nil {
		return err
	}
	if _, err := exchange(stream, &entryv1.SyncAuthorizedEntriesRequest{OutputMask: agentMask}); err != nil {
		return err
	}
	if err := l.operator.ban(ctx, l.few.svid.ID); err != nil {
		return err
	}
	if err := wantDenied(call(ctx, l.few.conn), types.PermissionDeniedDetails_AGENT_BANNED); err != nil {
		return err
	}
	_, err = exchange(stream, &entryv1.SyncAuthorizedEntriesRequest{Ids: []string{l.wanted[0].id}})
	return wantDenied(err, types.PermissionDeniedDetails_AGENT_BANNED)
}

func (l *life) delete(ctx context.Context) error {
	if err := l.operator.evict(ctx, l.many.svid.ID); err != nil {
		return err
	}
	return wantDenied(call(ctx, l.many.conn), types.PermissionDeniedDetails_AGENT_NOT_ATTESTED)
}
