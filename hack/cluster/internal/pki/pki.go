// Package pki makes the keys and certificates of a cluster.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"
)

// validity outlives every trial and test cluster.
const validity = 10 * 365 * 24 * time.Hour

// Subject is who a certificate speaks for.
type Subject struct {
	// User is the common name: the user name in Kubernetes.
	User string
	// Group is the organisation: the group in Kubernetes.
	Group string
	// Names are the DNS names of a server.
	Names []string
	// Addresses are the addresses of a server.
	Addresses []netip.Addr
}

// Authority signs certificates and keeps them in a folder.
type Authority struct {
	// Folder receives <name>.crt and <name>.key files.
	Folder string

	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	now  time.Time
}

// OpenAuthority reads the authority with this name, or makes it.
func OpenAuthority(folder, name string, now time.Time) (*Authority, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the key folder: %w", err)
	}
	a := &Authority{Folder: folder, now: now}
	if !exists(folder, name) {
		if err := a.create(name); err != nil {
			return nil, err
		}
	}
	return a, a.load(name)
}

// exists reports whether both files of a pair are there.
func exists(folder, name string) bool {
	for _, ending := range []string{".crt", ".key"} {
		if _, err := os.Stat(filepath.Join(folder, name+ending)); err != nil {
			return false
		}
	}
	return true
}

// Issue makes the pair with this name unless it is there: keys survive restarts.
func (a *Authority) Issue(name string, subject Subject) error {
	if exists(a.Folder, name) {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make key of %s: %w", name, err)
	}
	template, err := a.template(subject)
	if err != nil {
		return err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return fmt.Errorf("sign certificate of %s: %w", name, err)
	}
	return writePair(a.Folder, name, der, key)
}

// SigningKey makes a bare key pair, <name>.key and <name>.pub, unless it is there.
func SigningKey(folder, name string) error {
	private, public := filepath.Join(folder, name+".key"), filepath.Join(folder, name+".pub")
	if _, err := os.Stat(public); err == nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make key %s: %w", name, err)
	}
	if err := writeKey(private, key); err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return fmt.Errorf("encode key %s: %w", name, err)
	}
	return writePEM(public, "PUBLIC KEY", der)
}

func (a *Authority) create(name string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make key of %s: %w", name, err)
	}
	template, err := a.template(Subject{User: "streamplane-" + name})
	if err != nil {
		return err
	}
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return fmt.Errorf("sign authority %s: %w", name, err)
	}
	return writePair(a.Folder, name, der, key)
}

func (a *Authority) load(name string) error {
	certPEM, err := os.ReadFile(filepath.Join(a.Folder, name+".crt"))
	if err != nil {
		return fmt.Errorf("read authority: %w", err)
	}
	keyPEM, err := os.ReadFile(filepath.Join(a.Folder, name+".key"))
	if err != nil {
		return fmt.Errorf("read authority: %w", err)
	}
	certBlock, _ := pem.Decode(certPEM)
	keyBlock, _ := pem.Decode(keyPEM)
	if certBlock == nil || keyBlock == nil {
		return errors.New("read authority: not a PEM file")
	}
	if a.cert, err = x509.ParseCertificate(certBlock.Bytes); err != nil {
		return fmt.Errorf("parse authority: %w", err)
	}
	if a.key, err = x509.ParseECPrivateKey(keyBlock.Bytes); err != nil {
		return fmt.Errorf("parse authority: %w", err)
	}
	return nil
}

func (a *Authority) template(s Subject) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("pick serial number: %w", err)
	}
	name := pkix.Name{CommonName: s.User}
	if s.Group != "" {
		name.Organization = []string{s.Group}
	}
	var addresses []net.IP
	for _, address := range s.Addresses {
		addresses = append(addresses, address.AsSlice())
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      name,
		NotBefore:    a.now.Add(-time.Hour), // clocks step back
		NotAfter:     a.now.Add(validity),
		DNSNames:     s.Names,
		IPAddresses:  addresses,
	}, nil
}

func writePair(folder, name string, der []byte, key *ecdsa.PrivateKey) error {
	if err := writeKey(filepath.Join(folder, name+".key"), key); err != nil {
		return err
	}
	return writePEM(filepath.Join(folder, name+".crt"), "CERTIFICATE", der)
}

func writeKey(path string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode key: %w", err)
	}
	return writePEM(path, "EC PRIVATE KEY", der)
}

// writePEM writes a whole file or none, so that a crash leaves no half key.
func writePEM(path, kind string, der []byte) error {
	content := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}
