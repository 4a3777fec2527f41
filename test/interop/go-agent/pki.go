package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// The nodes of this program that prove possession of a certificate: each has a file with it and its key, beside the CA's.
const (
	caFile      = "node-ca.pem"
	ecdsaNode   = "ecdsa-node.pem"
	rsaNode     = "rsa-node.pem"
	unknownNode = "unknown-node.pem"
)

// writePKI makes a CA for nodes with a certificate for each kind of key, and a node of another CA.
func writePKI(folder string) error {
	ca, err := newCA("nodes")
	if err != nil {
		return err
	}
	other, err := newCA("others")
	if err != nil {
		return err
	}
	if err := writePEM(filepath.Join(folder, caFile), block("CERTIFICATE", ca.certificate.Raw)); err != nil {
		return err
	}
	ecdsaKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	for _, node := range []struct {
		file string
		key  crypto.Signer
		ca   nodeCertificate
	}{{ecdsaNode, ecdsaKey, ca}, {rsaNode, rsaKey, ca}, {unknownNode, ecdsaKey, other}} {
		if err := writeNode(filepath.Join(folder, node.file), node.key, node.ca); err != nil {
			return err
		}
	}
	return nil
}

func newCA(name string) (nodeCertificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nodeCertificate{}, err
	}
	template := certificate(1, name)
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nodeCertificate{}, err
	}
	parsed, err := x509.ParseCertificate(der)
	return nodeCertificate{parsed, key}, err
}

func writeNode(path string, key crypto.Signer, ca nodeCertificate) error {
	template := certificate(2, filepath.Base(path))
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, key.Public(), ca.key)
	if err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(path, block("CERTIFICATE", der), block("PRIVATE KEY", pkcs8))
}

func certificate(serial int64, name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Minute),
		NotAfter:     now.Add(time.Hour),
	}
}

func readNode(path string) (nodeCertificate, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nodeCertificate{}, err
	}
	first, rest := pem.Decode(text)
	second, _ := pem.Decode(rest)
	if first == nil || second == nil {
		return nodeCertificate{}, fmt.Errorf("%s does not have a certificate and a key", path)
	}
	parsed, err := x509.ParseCertificate(first.Bytes)
	if err != nil {
		return nodeCertificate{}, err
	}
	key, err := x509.ParsePKCS8PrivateKey(second.Bytes)
	if err != nil {
		return nodeCertificate{}, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nodeCertificate{}, fmt.Errorf("%s has a %T", path, key)
	}
	return nodeCertificate{parsed, signer}, nil
}

func block(label string, der []byte) *pem.Block { return &pem.Block{Type: label, Bytes: der} }

func writePEM(path string, blocks ...*pem.Block) error {
	var text []byte
	for _, b := range blocks {
		text = append(text, pem.EncodeToMemory(b)...)
	}
	return os.WriteFile(path, text, 0o600)
}
