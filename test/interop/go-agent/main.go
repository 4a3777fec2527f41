// Command go-agent plays a SPIRE agent against a Plastron server, with the SPIFFE project's own libraries and Go's own TLS:
// nothing here shares code with the server. It reads a plan (JSON) from stdin, makes its steps in order and prints one line
// of JSON for each; it ends at the first step that fails.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// plan says where the server is and what it was told beforehand.
type plan struct {
	TrustDomain string // without scheme
	Server      string // host:port
	AdminSocket string
	Bundle      string // the trust bundle, as PEM
	FewToken    string // a join token of a node that may have the entries in Few
	Few         []wantedEntry
	ManyToken   string // a join token of a node that may have so many entries that they come in pages
	ManyCount   int
}

type wantedEntry struct {
	ID       string
	SpiffeID string
	Hint     string
	DNSNames []string
	TTL      int // seconds
}

type step struct {
	name string
	run  func(context.Context) error
}

func main() {
	var p plan
	if err := json.NewDecoder(os.Stdin).Decode(&p); err != nil {
		fail(fmt.Errorf("the plan: %w", err))
	}
	steps, err := scenario(p)
	if err != nil {
		fail(err)
	}
	for _, s := range steps {
		if !report(s) {
			os.Exit(1)
		}
	}
}

func report(s step) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	line := struct {
		Step  string `json:"step"`
		Error string `json:"error,omitempty"`
	}{Step: s.name}
	if err := s.run(ctx); err != nil {
		line.Error = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		fail(err)
	}
	return line.Error == ""
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}
