package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	agentv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/agent/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// evidence is what a node shows to be let in.
type evidence struct {
	method  string
	payload []byte
	// answer is nil for a method without challenges.
	answer func(challenge []byte) ([]byte, error)
	// path is that of the ID that the agent must get.
	path         string
	reattestable bool
}

func joinToken(token string) evidence {
	return evidence{method: "join_token", payload: []byte(token), path: "/spire/agent/join_token/" + token}
}

// x509pop proves possession of a certificate's key, as SPIRE's agents do on the wire.
func x509pop(node nodeCertificate) (evidence, error) {
	payload, err := json.Marshal(map[string][][]byte{"certificates": {node.certificate.Raw}})
	if err != nil {
		return evidence{}, err
	}
	fingerprint := sha1.Sum(node.certificate.Raw)
	return evidence{
		method:       "x509pop",
		payload:      payload,
		answer:       func(challenge []byte) ([]byte, error) { return proof(node.key, challenge) },
		path:         "/spire/agent/x509pop/" + hex.EncodeToString(fingerprint[:]),
		reattestable: true,
	}, nil
}

type nodeCertificate struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

type challenge struct {
	Nonce []byte `json:"nonce"`
}

type ecdsaProof struct {
	Nonce []byte `json:"nonce"`
	R     []byte `json:"r"`
	S     []byte `json:"s"`
}

type rsaProof struct {
	Nonce     []byte `json:"nonce"`
	Signature []byte `json:"signature"`
}

func proof(key crypto.Signer, asked []byte) ([]byte, error) {
	var question struct {
		RSA   *challenge `json:"rsa_signature"`
		ECDSA *challenge `json:"ecdsa_signature"`
	}
	if err := json.Unmarshal(asked, &question); err != nil {
		return nil, fmt.Errorf("the challenge %q: %w", asked, err)
	}
	nonce := make([]byte, 32)
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		if question.ECDSA == nil || question.RSA != nil {
			return nil, fmt.Errorf("the challenge %q is not for an ECDSA key", asked)
		}
		r, s, err := ecdsa.Sign(rand.Reader, key, digest(question.ECDSA.Nonce, nonce))
		if err != nil {
			return nil, err
		}
		return json.Marshal(map[string]ecdsaProof{"ecdsa_signature": {nonce, r.Bytes(), s.Bytes()}})
	case *rsa.PrivateKey:
		if question.RSA == nil || question.ECDSA != nil {
			return nil, fmt.Errorf("the challenge %q is not for an RSA key", asked)
		}
		signature, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest(question.RSA.Nonce, nonce), nil)
		if err != nil {
			return nil, err
		}
		return json.Marshal(map[string]rsaProof{"rsa_signature": {nonce, signature}})
	default:
		return nil, fmt.Errorf("no proof for a %T", key)
	}
}

func digest(theirs, ours []byte) []byte {
	sum := sha256.Sum256(append(append([]byte{}, theirs...), ours...))
	return sum[:]
}

// attest shows evidence for the agent's first SVID, or for another one, and connects with it.
func (a *agent) attest(ctx context.Context, shown evidence) error {
	conn, err := a.dialAnonymous()
	if err != nil {
		return err
	}
	defer conn.Close()
	result, key, err := attestPatiently(ctx, conn, shown)
	if err != nil {
		return err
	}
	if result.Reattestable != shown.reattestable {
		return fmt.Errorf("whether the agent can attest again is said to be %t", result.Reattestable)
	}
	want := spiffeid.RequireFromPath(a.serverID.TrustDomain(), shown.path)
	if a.svid, err = checkSVID(result.Svid, key, a.bundle, want); err != nil {
		return err
	}
	a.conn, err = a.dialWithSVID()
	return err
}

// attestPatiently comes again when the server says that this address attests too often.
func attestPatiently(ctx context.Context, conn *grpc.ClientConn, shown evidence) (*agentv1.AttestAgentResponse_Result, crypto.Signer, error) {
	for {
		result, key, err := attestOnce(ctx, conn, shown)
		if status.Code(err) != codes.ResourceExhausted || pause(ctx) != nil {
			return result, key, err
		}
	}
}

func attestOnce(ctx context.Context, conn *grpc.ClientConn, shown evidence) (*agentv1.AttestAgentResponse_Result, crypto.Signer, error) {
	key, csr, err := newCSR(nil)
	if err != nil {
		return nil, nil, err
	}
	stream, err := agentv1.NewAgentClient(conn).AttestAgent(ctx)
	if err != nil {
		return nil, nil, err
	}
	params := &agentv1.AttestAgentRequest_Params{
		Data:   &types.AttestationData{Type: shown.method, Payload: shown.payload},
		Params: &agentv1.AgentX509SVIDParams{Csr: csr},
	}
	if err := stream.Send(&agentv1.AttestAgentRequest{Step: &agentv1.AttestAgentRequest_Params_{Params: params}}); err != nil {
		return nil, nil, err
	}
	response, err := stream.Recv()
	for err == nil && response.GetResult() == nil {
		if shown.answer == nil {
			return nil, nil, fmt.Errorf("%s was answered by %v", shown.method, response)
		}
		var answer []byte
		if answer, err = shown.answer(response.GetChallenge()); err != nil {
			return nil, nil, err
		}
		if err = stream.Send(&agentv1.AttestAgentRequest{Step: &agentv1.AttestAgentRequest_ChallengeResponse{ChallengeResponse: answer}}); err == nil {
			response, err = stream.Recv()
		}
	}
	if err != nil {
		return nil, nil, err
	}
	return response.GetResult(), key, stream.CloseSend()
}
