// Command go-agent plays SPIRE agents and an operator against a server, and a workload of an agent, with the SPIFFE project's
// own libraries and Go's own TLS: nothing here shares code with Plastron. The same steps are made against SPIRE's own server.
//
//	go-agent pki FOLDER    makes a CA for nodes, and nodes with certificates
//	go-agent steps         reads a plan (JSON) from stdin, makes its steps in order and prints one line of JSON for each;
//	                       ends at the first step that fails
//	go-agent workload      the same for a client of the Workload API
//	go-agent peer          reads the same plan and is the peer of such a client, until its stdin ends
package main

import (
	"context"
	"encoding/json"
	"errors"
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
	if len(os.Args) < 2 {
		fail(errors.New("what to do is missing"))
	}
	switch os.Args[1] {
	case "pki":
		if err := writePKI(os.Args[2]); err != nil {
			fail(err)
		}
	case "steps":
		makeSteps(scenario(decoded[plan]()))
	case "workload":
		makeSteps(workloadSteps(decoded[workloadPlan]()))
	case "peer":
		if err := servePeer(decoded[workloadPlan]()); err != nil {
			fail(err)
		}
	}
}

func decoded[Plan any]() Plan {
	var plan Plan
	if err := json.NewDecoder(os.Stdin).Decode(&plan); err != nil {
		fail(fmt.Errorf("the plan: %w", err))
	}
	return plan
}

func makeSteps(steps []step, err error) {
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
