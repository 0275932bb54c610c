// Package content tells when a value in a ConfigMap or Secret changes without
// keeping the value: the cache holds a keyed hash of each instead.
package content

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

const (
	// macLength in bytes is what is kept of each value.
	macLength = 16
	// hashed is the kind of a cached object without its values. The API server
	// has no object of this kind, so that nobody can pretend to be one.
	hashed = "hashed"

	idLength   = 3
	refsLength = 4
	sumLength  = 8
)

// A Hasher hashes with a key, without which a short value could be guessed from
// its hash.
type Hasher struct {
	key []byte
	id  string
}

// NewHasher hashes with a key; without one for values that are no secrets.
func NewHasher(key []byte) Hasher {
	h := Hasher{key: key}
	h.id = hex.EncodeToString(h.mac("key")[:idLength])
	return h
}

// Trim is the transform of a cache: of a Secret, and of a ConfigMap that is not
// ours, it keeps what identifies it and a hash of each value.
func (h Hasher) Trim(object any) (any, error) {
	switch o := object.(type) {
	case *corev1.Secret:
		if o.Kind == hashed {
			return o, nil
		}
		return &corev1.Secret{TypeMeta: metav1.TypeMeta{Kind: hashed}, ObjectMeta: identity(o), Data: h.values(o, o.Data)}, nil
	case *corev1.ConfigMap:
		if o.Kind == hashed || ours(o) {
			return o, nil
		}
		return &corev1.ConfigMap{TypeMeta: metav1.TypeMeta{Kind: hashed}, ObjectMeta: identity(o), BinaryData: h.texts(o)}, nil
	default:
		return object, nil // a tombstone
	}
}

// Hashes are those of the values of a cached object, by key.
func (h Hasher) Hashes(object client.Object) map[string][]byte {
	switch o := object.(type) {
	case *corev1.Secret:
		return o.Data
	case *corev1.ConfigMap:
		if ours(o) {
			return h.texts(o)
		}
		return o.BinaryData
	default:
		return nil
	}
}

// Sum is one hash of what references find. Two sums compare when all but the
// part after the last dash is the same: then they are of the same references,
// hashed with the same key.
func (h Hasher) Sum(references, found []string) string {
	return strings.Join([]string{
		h.id,
		hex.EncodeToString(h.mac(append([]string{"references"}, references...)...)[:refsLength]),
		hex.EncodeToString(h.mac(append([]string{"found"}, found...)...)[:sumLength]),
	}, "-")
}

// Absent is what a reference finds that may find nothing.
const Absent = "absent"

// Found is what a reference to a key finds, or to all keys when key is "".
func Found(hashes map[string][]byte, key string) (string, bool) {
	if key != "" {
		hash, ok := hashes[key]
		return "value " + hex.EncodeToString(hash), ok
	}
	var all strings.Builder
	all.WriteString("values")
	for _, key := range slices.Sorted(maps.Keys(hashes)) {
		all.WriteString(" " + key + "=" + hex.EncodeToString(hashes[key])) // keys have neither blank nor =
	}
	return all.String(), true
}

func (h Hasher) texts(o *corev1.ConfigMap) map[string][]byte {
	all := h.values(o, o.BinaryData)
	for key, text := range o.Data {
		all[key] = h.value(o, key, text)
	}
	return all
}

func (h Hasher) values(o client.Object, data map[string][]byte) map[string][]byte {
	all := make(map[string][]byte, len(data))
	for key, value := range data {
		all[key] = h.value(o, key, string(value))
	}
	return all
}

// value differs between two objects with the same value.
func (h Hasher) value(o client.Object, key, value string) []byte {
	kind := "ConfigMap"
	if _, ok := o.(*corev1.Secret); ok {
		kind = "Secret"
	}
	return h.mac("value", kind, o.GetNamespace(), o.GetName(), key, value)[:macLength]
}

// mac takes the length of each part in, so that no two lists read alike.
func (h Hasher) mac(parts ...string) []byte {
	m := hmac.New(sha256.New, h.key)
	for _, part := range parts {
		_ = binary.Write(m, binary.BigEndian, uint64(len(part))) // a hash takes everything
		m.Write([]byte(part))
	}
	return m.Sum(nil)
}

// ours says whether the operator made a ConfigMap, and so compares its content.
func ours(o *corev1.ConfigMap) bool {
	c := metav1.GetControllerOf(o)
	return c != nil && strings.HasPrefix(c.APIVersion, v1alpha1.GroupVersion.Group+"/")
}

func identity(o client.Object) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: o.GetName(), Namespace: o.GetNamespace(), UID: o.GetUID(), ResourceVersion: o.GetResourceVersion(),
		DeletionTimestamp: o.GetDeletionTimestamp(), OwnerReferences: o.GetOwnerReferences(),
	}
}
