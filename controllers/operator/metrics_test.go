package operator

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/cert"
)

// freeAddress is one on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// token is one of a ServiceAccount of the namespace, which it makes.
func (w *world) token(account string) string {
	w.Helper()
	sa := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: account}}
	w.create(sa)
	request := &authenticationv1.TokenRequest{}
	if err := w.client.SubResource("token").Create(w.Context(), sa, request); err != nil {
		w.Fatal(err)
	}
	return request.Status.Token
}

// scraped reads the metrics and compares the answer.
func scraped(w *world, address, token string, want int) error {
	trust := &tls.Config{InsecureSkipVerify: true} // the operator's own certificate
	status, _, err := scrape(w, address, token, trust)
	if err == nil && status != want {
		err = fmt.Errorf("the metrics answer %d, want %d", status, want)
	}
	return err
}

func scrape(w *world, address, token string, trust *tls.Config) (status int, body string, err error) {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trust, DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(w.Context(), http.MethodGet, "https://"+address+"/metrics", nil)
	if err != nil {
		return 0, "", err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, string(content), err
}

func (w *world) startWithMetrics(certFolder string) (address string) {
	w.Helper()
	address = freeAddress(w.T)
	w.startAs(plane.operator, Options{
		Catalog: catalog("1.0.0"), WatchNamespaces: []string{w.namespace},
		Metrics: Metrics{Address: address, Secure: true, CertFolder: certFolder},
	})
	return address
}

// mayReadMetrics binds a ServiceAccount to the role for it.
func (w *world) mayReadMetrics(account string) {
	w.Helper()
	err := w.client.Create(w.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: w.namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "streamplane-metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: w.namespace, Name: account}},
	})
	if err != nil {
		w.Fatal(err)
	}
}

func TestMetricsAreForThoseWhoMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	address := w.startWithMetrics("")
	w.mayReadMetrics("prometheus")
	cases := map[string]struct {
		token  string
		status int
	}{
		"no token":         {"", http.StatusUnauthorized},
		"wrong token":      {"eyJhbGciOiJub25lIn0.e30.", http.StatusInternalServerError}, // all that the filter says
		"without the role": {w.token("curious"), http.StatusForbidden},
		"with the role":    {w.token("prometheus"), http.StatusOK},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := w.in(t)
			w.eventually(func() error { return scraped(w, address, tc.token, tc.status) })
		})
	}
	t.Run("not by plain HTTP", func(t *testing.T) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("status %d", response.StatusCode)
		}
	})
}

func TestMetricsWithACertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const host = "metrics.test"
	certificate, key, err := cert.GenerateSelfSignedCertKey(host, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, content := range map[string][]byte{"tls.crt": certificate, "tls.key": key} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := w.startWithMetrics(folder)
	w.mayReadMetrics("prometheus")
	token := w.token("prometheus")
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(certificate)
	w.eventually(func() error {
		status, body, err := scrape(w, address, token, &tls.Config{RootCAs: trusted, ServerName: host})
		if err == nil && (status != http.StatusOK || !strings.Contains(body, "controller_runtime_")) {
			err = fmt.Errorf("status %d: %s", status, body)
		}
		return err
	})
}
