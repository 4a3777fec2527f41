package main

import (
	"context"
	"crypto"
	"fmt"
	"io"
	"slices"

	entryv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/entry/v1"
	svidv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/svid/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc"
)

// agentMask is what SPIRE's agents ask for: no parents, lifetimes or DNS names.
var agentMask = &types.EntryMask{
	SpiffeId: true, Selectors: true, FederatesWith: true, Admin: true, Downstream: true, RevisionNumber: true,
	StoreSvid: true, Hint: true, CreatedAt: true, AdditionalAttributes: true,
}

// pageSize is SPIRE's: with more entries than that only revisions come first, and no more are asked for at once.
const pageSize = 500

// syncEntries makes one sync as SPIRE's agents do when they know no entry yet, and says whether it came in pages.
func syncEntries(ctx context.Context, conn *grpc.ClientConn) (map[string]*types.Entry, bool, error) {
	stream, err := entryv1.NewEntryClient(conn).SyncAuthorizedEntries(ctx)
	if err != nil {
		return nil, false, err
	}
	response, err := exchange(stream, &entryv1.SyncAuthorizedEntriesRequest{OutputMask: agentMask})
	if err != nil {
		return nil, false, err
	}
	entries := map[string]*types.Entry{}
	paged := len(response.EntryRevisions) > 0
	if !paged {
		if response.More {
			return nil, false, fmt.Errorf("a sync without pages goes on")
		}
		return entries, false, keep(entries, response.Entries)
	}
	ids, err := revisions(stream, response)
	if err != nil {
		return nil, true, err
	}
	for page := range slices.Chunk(ids, pageSize) {
		response, err := exchange(stream, &entryv1.SyncAuthorizedEntriesRequest{Ids: page})
		for err == nil {
			if err = keep(entries, response.Entries); err != nil || !response.More {
				break
			}
			response, err = stream.Recv()
		}
		if err != nil {
			return nil, true, err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return nil, true, err
	}
	if _, err := stream.Recv(); err != io.EOF {
		return nil, true, fmt.Errorf("the stream did not end: %v", err)
	}
	return entries, true, nil
}

// revisions reads the pages after the first one and gives all IDs, sorted.
func revisions(stream entryv1.Entry_SyncAuthorizedEntriesClient, response *entryv1.SyncAuthorizedEntriesResponse) ([]string, error) {
	var ids []string
	for {
		if len(response.Entries) > 0 || len(response.EntryRevisions) > pageSize {
			return nil, fmt.Errorf("a page has %d entries and %d revisions", len(response.Entries), len(response.EntryRevisions))
		}
		for _, revision := range response.EntryRevisions {
			if revision.CreatedAt == 0 {
				return nil, fmt.Errorf("the revision of %q has no time", revision.Id)
			}
			ids = append(ids, revision.Id)
		}
		if !response.More {
			slices.Sort(ids)
			return ids, nil
		}
		var err error
		if response, err = stream.Recv(); err != nil {
			return nil, err
		}
	}
}

func keep(entries map[string]*types.Entry, page []*types.Entry) error {
	for _, entry := range page {
		if entries[entry.Id] != nil {
			return fmt.Errorf("the entry %q came twice", entry.Id)
		}
		entries[entry.Id] = entry
	}
	return nil
}

func exchange(stream entryv1.Entry_SyncAuthorizedEntriesClient, request *entryv1.SyncAuthorizedEntriesRequest) (*entryv1.SyncAuthorizedEntriesResponse, error) {
	// A send that fails means that the stream has ended; only receiving says why.
	if err := stream.Send(request); err != nil && err != io.EOF {
		return nil, err
	}
	return stream.Recv()
}

type svidAnswer struct {
	key    crypto.Signer
	result *svidv1.BatchNewX509SVIDResponse_Result
}

// requestSVIDs gives one answer for each entry, in order.
func requestSVIDs(ctx context.Context, conn *grpc.ClientConn, wanted []wantedEntry) ([]svidAnswer, error) {
	answers := make([]svidAnswer, len(wanted))
	request := &svidv1.BatchNewX509SVIDRequest{}
	for i, entry := range wanted {
		key, csr, err := newCSR(entry.spiffeID.URL())
		if err != nil {
			return nil, err
		}
		answers[i].key = key
		request.Params = append(request.Params, &svidv1.NewX509SVIDParams{EntryId: entry.id, Csr: csr})
	}
	response, err := svidv1.NewSVIDClient(conn).BatchNewX509SVID(ctx, request)
	if err != nil {
		return nil, err
	}
	if len(response.Results) != len(wanted) {
		return nil, fmt.Errorf("%d requests, %d results", len(wanted), len(response.Results))
	}
	for i, result := range response.Results {
		answers[i].result = result
	}
	return answers, nil
}
