package operator

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// requests are those that one operator sent, in order, without watches, leader
// election and the repeated question which kinds a group has.
type requests struct {
	mutex sync.Mutex
	all   []request
	// uses and refused are of all requests, by right.
	uses    uses
	refused []string
}

type request struct {
	method string
	path   string
	query  string
}

// wrap records what goes through a transport.
func (r *requests) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(sent *http.Request) (*http.Response, error) {
		watch := sent.URL.Query().Get("watch") == "true"
		if !watch && !strings.Contains(sent.URL.Path, "/leases") && !kindsOfGroup(sent) {
			r.mutex.Lock()
			r.all = append(r.all, request{sent.Method, sent.URL.Path, sent.URL.RawQuery})
			r.mutex.Unlock()
		}
		answer, err := next.RoundTrip(sent)
		if err == nil {
			err = r.note(sent, answer)
		}
		return answer, err
	})
}

func kindsOfGroup(sent *http.Request) bool {
	parts := strings.Split(strings.Trim(sent.URL.Path, "/"), "/")
	return sent.Method == http.MethodGet && len(parts) == 3 && parts[0] == "apis"
}

// note keeps which right a request needed, and whether the operator lacks it.
// Others than RBAC refuse with the same status: quotas, policies.
func (r *requests) note(sent *http.Request, answer *http.Response) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.uses.add(sent, answer.StatusCode)
	if answer.StatusCode != http.StatusForbidden {
		return nil
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body = io.NopCloser(bytes.NewReader(body))
	if bytes.Contains(body, []byte(" cannot ")) && bytes.Contains(body, []byte(" in API group ")) {
		r.refused = append(r.refused, string(body))
	}
	return err
}

// withoutRight lists the requests that the operator has no right to.
func (r *requests) withoutRight() []string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.refused
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// mark is a position after everything that has been sent.
func (r *requests) mark() int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return len(r.all)
}

// since lists what was sent after a mark and is as asked.
func (r *requests) since(mark int, is func(request) bool) []request {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var found []request
	for _, sent := range r.all[mark:] {
		if is(sent) {
			found = append(found, sent)
		}
	}
	return found
}

func anything(request) bool { return true }

func write(r request) bool { return r.method != http.MethodGet && r.method != http.MethodHead }

// to says whether a request goes to an object, or a part of one.
func to(resource, name string) func(request) bool {
	return func(r request) bool {
		_, rest, ok := strings.Cut(r.path, "/"+resource+"/")
		return ok && (rest == name || strings.HasPrefix(rest, name+"/"))
	}
}

// informerOrDiscovery says whether a request is what a starting operator needs
// to fill its cache: a list of a whole kind, the question which kinds exist, or
// the key of its hashes.
func informerOrDiscovery(r request) bool {
	if r == (request{method: http.MethodGet, path: "/api/v1/namespaces/" + home + "/secrets/" + keySecret}) {
		return true
	}
	parts := strings.Split(strings.Trim(r.path, "/"), "/")
	if parts[0] == "apis" {
		parts = parts[1:] // now group/version/..., as api/v1/...
	}
	if i := slices.Index(parts, "namespaces"); i >= 0 {
		parts = slices.Delete(parts, i, i+2)
	}
	return r.method == http.MethodGet && len(parts) <= 3
}

func TestInformerOrDiscovery(t *testing.T) {
	cases := map[string]struct {
		sent request
		want bool
	}{
		"groups":              {request{"GET", "/apis", ""}, true},
		"core":                {request{"GET", "/api", ""}, true},
		"kinds of core":       {request{"GET", "/api/v1", ""}, true},
		"kinds of a group":    {request{"GET", "/apis/apps/v1", ""}, true},
		"list":                {request{"GET", "/apis/apps/v1/deployments", ""}, true},
		"list of a namespace": {request{"GET", "/apis/apps/v1/namespaces/x/deployments", ""}, true},
		"list of core":        {request{"GET", "/api/v1/namespaces/x/services", ""}, true},
		"key":                 {request{"GET", "/api/v1/namespaces/streamplane-system/secrets/streamplane-config-key", ""}, true},
		"another Secret":      {request{"GET", "/api/v1/namespaces/streamplane-system/secrets/other", ""}, false},
		"get":                 {request{"GET", "/apis/apps/v1/namespaces/x/deployments/y", ""}, false},
		"get of core":         {request{"GET", "/api/v1/namespaces/x/services/y", ""}, false},
		"create":              {request{"POST", "/api/v1/namespaces/x/services", ""}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := informerOrDiscovery(tc.sent); got != tc.want {
				t.Errorf("%t, want %t", got, tc.want)
			}
		})
	}
}
