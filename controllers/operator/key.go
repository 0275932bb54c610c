package operator

import (
	"context"
	"crypto/rand"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/controllers/content"
	"github.com/streamplane/streamplane/controllers/microservice"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

const (
	// keySecret keeps the key with which values are hashed, so that a restarted
	// operator finds the same hashes.
	keySecret = "streamplane-config-key"
	keyField  = "key"
	keyLength = 32
)

// configuration is how content is hashed: with a key that only those know who
// may read Secrets of the operator's namespace.
func configuration(ctx context.Context, cfg *rest.Config, options client.Options, o Options) (microservice.Configuration, error) {
	if !o.WatchSecrets {
		return microservice.Configuration{Hasher: content.NewHasher(nil)}, nil
	}
	key, err := newKey(), error(nil)
	if o.Namespace != "" {
		var direct client.Client
		if direct, err = client.New(cfg, options); err == nil {
			key, err = keptKey(ctx, direct, o.Namespace, key)
		}
	}
	if err != nil {
		return microservice.Configuration{}, fmt.Errorf("find the key for hashes of Secrets: %w", err)
	}
	return microservice.Configuration{Hasher: content.NewHasher(key), Secrets: true}, nil
}

func newKey() []byte {
	key := make([]byte, keyLength)
	_, _ = rand.Read(key) // never fails: the program would end
	return key
}

// keptKey is the one in the Secret, which is made with a new key when there is none.
func keptKey(ctx context.Context, c client.Client, namespace string, fresh []byte) ([]byte, error) {
	secret := &corev1.Secret{}
	name := client.ObjectKey{Namespace: namespace, Name: keySecret}
	err := c.Get(ctx, name, secret)
	if apierrors.IsNotFound(err) {
		secret = &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{
				Name: keySecret, Namespace: namespace, Labels: map[string]string{desired.LabelManagedBy: desired.ManagedBy},
			},
			Immutable: new(true),
			Data:      map[string][]byte{keyField: fresh},
		}
		err = c.Create(ctx, secret)
		if apierrors.IsAlreadyExists(err) { // another replica was faster
			err = c.Get(ctx, name, secret)
		}
	}
	if err != nil {
		return nil, err
	}
	if len(secret.Data[keyField]) < keyLength {
		return nil, fmt.Errorf("secret %s has no %s of %d bytes: delete it, and start the operator again", keySecret, keyField, keyLength)
	}
	return secret.Data[keyField], nil
}
