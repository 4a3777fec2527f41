// Command go-agent plays SPIRE agents and an operator against a server, with the SPIFFE project's own libraries and Go's own
// TLS: nothing here shares code with Plastron. The same steps are made against SPIRE's own server.
//
//	go-agent pki FOLDER    makes a CA for nodes, and nodes with certificates
//	go-agent steps         reads a plan (JSON) from stdin, makes its steps in order and prints one line of JSON for each;
//	                       ends at the first step that fails
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// plan says where the server is.
type plan struct {
	TrustDomain string // without scheme
	Server      string // host:port
	AdminSocket string
	PKI         string // the folder that `go-agent pki` has filled, whose CA the server trusts for x509pop
	SPIRE       bool   // whether it is SPIRE's server, of which less is wanted
}

type step struct {
	name string
	run  func(context.Context) error
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "pki" {
		if err := writePKI(os.Args[2]); err != nil {
			fail(err)
		}
		return
	}
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
