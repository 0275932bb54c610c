package content

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var hasher = NewHasher([]byte("a key of the tests"))

func secret(name string, data map[string]string) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Name: name, Namespace: "tv", ResourceVersion: "7",
		Annotations: map[string]string{"kubectl.kubernetes.io/last-applied-configuration": fmt.Sprint(data)},
	}, Data: map[string][]byte{}}
	for key, value := range data {
		s.Data[key] = []byte(value)
	}
	return s
}

func configMap(data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: "tv"}, Data: data}
}

// hashes are those of an object in the cache.
func hashes(t *testing.T, h Hasher, object client.Object) map[string][]byte {
	t.Helper()
	trimmed, err := h.Trim(object)
	if err != nil {
		t.Fatal(err)
	}
	return h.Hashes(trimmed.(client.Object))
}

func TestTheCacheHoldsNoValues(t *testing.T) {
	const value = "correct horse battery staple"
	data := map[string]string{"password": value, "other": "x" + value}
	withBinary := configMap(data)
	withBinary.BinaryData = map[string][]byte{"binary": []byte(value)}
	for name, object := range map[string]client.Object{"Secret": secret("a", data), "ConfigMap": withBinary} {
		t.Run(name, func(t *testing.T) {
			trimmed, err := hasher.Trim(object)
			if err != nil {
				t.Fatal(err)
			}
			if text := fmt.Sprintf("%s %v", trimmed, trimmed); strings.Contains(text, value) {
				t.Errorf("a value is in %s", text)
			}
			kept := trimmed.(client.Object)
			if kept.GetName() != "a" || kept.GetNamespace() != "tv" || kept.GetResourceVersion() != object.GetResourceVersion() {
				t.Errorf("not known any more: %v", kept)
			}
			again, err := hasher.Trim(trimmed)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(trimmed, again); diff != "" {
				t.Errorf("trimmed twice (-once +twice):\n%s", diff)
			}
		})
	}
}

func TestTrimLeavesOthersAlone(t *testing.T) {
	ours := configMap(map[string]string{"a": "b"})
	ours.OwnerReferences = []metav1.OwnerReference{{APIVersion: "streamplane.dev/v1alpha1", Kind: "Microservice", Name: "a", Controller: new(true)}}
	for name, object := range map[string]any{
		"a ConfigMap of ours": ours, "a tombstone": cache.DeletedFinalStateUnknown{Key: "a"}, "another kind": &corev1.Pod{},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := hasher.Trim(object)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(object, got); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
		})
	}
	if diff := cmp.Diff(hashes(t, hasher, configMap(ours.Data)), hasher.Hashes(ours)); diff != "" {
		t.Errorf("hashes of one that is ours (-another's +ours):\n%s", diff)
	}
}

func TestHashes(t *testing.T) {
	base := hashes(t, hasher, secret("a", map[string]string{"k": "v"}))["k"]
	cases := map[string]struct {
		other []byte
		same  bool
	}{
		"the same again":       {hashes(t, NewHasher([]byte("a key of the tests")), secret("a", map[string]string{"k": "v", "l": "w"}))["k"], true},
		"another value":        {hashes(t, hasher, secret("a", map[string]string{"k": "w"}))["k"], false},
		"another key":          {hashes(t, hasher, secret("a", map[string]string{"l": "v"}))["l"], false},
		"another object":       {hashes(t, hasher, secret("b", map[string]string{"k": "v"}))["k"], false},
		"another kind":         {hashes(t, hasher, configMap(map[string]string{"k": "v"}))["k"], false},
		"hashed with another":  {hashes(t, NewHasher([]byte("another")), secret("a", map[string]string{"k": "v"}))["k"], false},
		"moved between fields": {hashes(t, hasher, secret("a", map[string]string{"kv": ""}))["kv"], false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if same := bytes.Equal(base, tc.other); same != tc.same {
				t.Errorf("same is %t", same)
			}
		})
	}
}

func TestFound(t *testing.T) {
	all := hashes(t, hasher, secret("a", map[string]string{"k": "v", "l": "w"}))
	found := map[string]string{}
	for _, key := range []string{"k", "l", ""} {
		what, ok := Found(all, key)
		if !ok {
			t.Errorf("%q is not found", key)
		}
		found[what] = key
	}
	if len(found) != 3 {
		t.Errorf("not three different: %v", slices.Sorted(maps.Keys(found)))
	}
	if _, ok := Found(all, "m"); ok {
		t.Error("m is found")
	}
	empty, ok := Found(nil, "")
	if !ok || empty == Absent {
		t.Errorf("an empty object is %q, %t", empty, ok)
	}
}

// Sums compare when only the last part differs.
func TestSum(t *testing.T) {
	refs := []string{"one", "two"}
	parts := func(h Hasher, refs, found []string) []string { return strings.Split(h.Sum(refs, found), "-") }
	base := parts(hasher, refs, []string{"a", "b"})
	cases := map[string]struct {
		got  []string
		same []bool
	}{
		"the same":           {parts(hasher, refs, []string{"a", "b"}), []bool{true, true, true}},
		"another content":    {parts(hasher, refs, []string{"a", "c"}), []bool{true, true, false}},
		"moved":              {parts(hasher, refs, []string{"ab", ""}), []bool{true, true, false}},
		"another reference":  {parts(hasher, []string{"one"}, []string{"a", "b"}), []bool{true, false, true}},
		"hashed differently": {parts(NewHasher(nil), refs, []string{"a", "b"}), []bool{false, false, false}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var same []bool
			for i := range base {
				same = append(same, base[i] == tc.got[i])
			}
			if diff := cmp.Diff(tc.same, same); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
