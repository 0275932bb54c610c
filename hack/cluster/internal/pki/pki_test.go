package pki

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func authority(t *testing.T, folder string) *Authority {
	t.Helper()
	ca, err := OpenAuthority(folder, "ca", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func certificate(t *testing.T, folder, name string) *x509.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, name+".crt"), filepath.Join(folder, name+".key"))
	if err != nil {
		t.Fatal(err)
	}
	return pair.Leaf
}

func TestIssuedCertificatesVerify(t *testing.T) {
	folder := t.TempDir()
	ca := authority(t, folder)
	address := netip.MustParseAddr("10.200.0.2")
	subject := Subject{User: "someone", Group: "people", Names: []string{"kubernetes.default.svc"}, Addresses: []netip.Addr{address}}
	if err := ca.Issue("server", subject); err != nil {
		t.Fatal(err)
	}
	cert := certificate(t, folder, "server")
	pool := x509.NewCertPool()
	pool.AddCert(certificate(t, folder, "ca"))
	for _, name := range []string{"kubernetes.default.svc", address.String()} {
		if _, err := cert.Verify(x509.VerifyOptions{Roots: pool, DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: pool, DNSName: "elsewhere"}); err == nil {
		t.Error("the certificate is good for any name")
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Errorf("as a client: %v", err)
	}
	if cert.Subject.CommonName != "someone" || cert.Subject.Organization[0] != "people" || cert.IsCA {
		t.Errorf("subject %v, authority %t", cert.Subject, cert.IsCA)
	}
	if left := time.Until(cert.NotAfter); left < 9*365*24*time.Hour {
		t.Errorf("valid for %s only", left)
	}
}

// Keys must survive restarts, and a crash between two files must heal.
func TestKeysAreKept(t *testing.T) {
	folder := t.TempDir()
	if err := authority(t, folder).Issue("user", Subject{User: "a"}); err != nil {
		t.Fatal(err)
	}
	before := certificate(t, folder, "user")
	ca := authority(t, folder)
	if err := ca.Issue("user", Subject{User: "b"}); err != nil {
		t.Fatal(err)
	}
	if !certificate(t, folder, "user").Equal(before) {
		t.Error("the certificate was made anew")
	}
	if err := os.Remove(filepath.Join(folder, "user.crt")); err != nil {
		t.Fatal(err)
	}
	if err := ca.Issue("user", Subject{User: "c"}); err != nil {
		t.Fatal(err)
	}
	if got := certificate(t, folder, "user").Subject.CommonName; got != "c" {
		t.Errorf("half a pair was not replaced: %s", got)
	}
}

func TestSigningKeyIsKept(t *testing.T) {
	folder := t.TempDir()
	read := func() string {
		if err := SigningKey(folder, "sa"); err != nil {
			t.Fatal(err)
		}
		public, err := os.ReadFile(filepath.Join(folder, "sa.pub"))
		if err != nil {
			t.Fatal(err)
		}
		return string(public)
	}
	if first := read(); first != read() {
		t.Error("the key was made anew")
	}
}
