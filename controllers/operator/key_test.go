package operator

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// withoutKey is a user who does not find the key at first, as when another
// replica makes it at the same time.
func withoutKey(user *rest.Config) *rest.Config {
	cfg := rest.CopyConfig(user)
	var first sync.Once
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(sent *http.Request) (*http.Response, error) {
			hide := false
			if strings.HasSuffix(sent.URL.Path, "/secrets/"+keySecret) {
				first.Do(func() { hide = true })
			}
			if hide {
				return notFound(sent), nil
			}
			return next.RoundTrip(sent)
		})
	})
	return cfg
}

func notFound(sent *http.Request) *http.Response {
	return &http.Response{
		StatusCode: http.StatusNotFound, Request: sent, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(`{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}`)),
	}
}

func TestTheKeyIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, err := client.New(plane.admin, client.Options{Scheme: plane.scheme})
	if err != nil {
		t.Fatal(err)
	}
	key := func(c client.Client) []byte {
		t.Helper()
		found, err := keptKey(t.Context(), c, w.namespace, newKey())
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	first := key(c)
	if len(first) != keyLength {
		t.Errorf("%d bytes", len(first))
	}
	if diff := cmp.Diff(first, key(c)); diff != "" {
		t.Errorf("another key (-first +second):\n%s", diff)
	}
	racing, err := client.New(withoutKey(plane.admin), client.Options{Scheme: plane.scheme})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, key(racing)); diff != "" {
		t.Errorf("another key for another replica (-first +second):\n%s", diff)
	}

	w.remove(get(w, keySecret, &corev1.Secret{}))
	if cmp.Equal(first, key(c)) {
		t.Error("a lost key came back")
	}
	w.remove(get(w, keySecret, &corev1.Secret{}))
	w.createYAML("{metadata: {name: "+keySecret+"}, stringData: {key: short}}", &corev1.Secret{})
	if _, err := keptKey(t.Context(), c, w.namespace, newKey()); err == nil || !strings.Contains(err.Error(), keySecret) {
		t.Errorf("a broken key: %v", err)
	}
}
