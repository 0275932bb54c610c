package microservice

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/content"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// Configuration reads what services take from ConfigMaps and Secrets.
type Configuration struct {
	Hasher content.Hasher
	// Secrets says whether Secrets are watched; else they are not looked at.
	Secrets bool
}

// configuration is what the references of a service find.
type configuration struct {
	// sum of the content; "" when it is not known: something is missing, or
	// nothing may be looked at.
	sum string
	// missing names what pods need and do not find.
	missing []string
	// used says whether there are references at all.
	used bool
}

// referenceIndex finds the Microservices that refer to an object.
const referenceIndex = "spec.references"

func (c Configuration) index(ctx context.Context, indexer client.FieldIndexer) error {
	err := indexer.IndexField(ctx, &v1alpha1.Microservice{}, referenceIndex, func(o client.Object) []string {
		m, ok := o.(*v1alpha1.Microservice)
		if !ok {
			return nil
		}
		var all []string
		for _, r := range desired.References(m, desired.SlotBlue) {
			all = append(all, r.Kind+"/"+r.Name)
		}
		return slices.Compact(all)
	})
	if err != nil {
		return fmt.Errorf("index references: %w", err)
	}
	return nil
}

// kinds are watched.
func (c Configuration) kinds() []client.Object {
	if !c.Secrets {
		return []client.Object{&corev1.ConfigMap{}}
	}
	return []client.Object{&corev1.ConfigMap{}, &corev1.Secret{}}
}

// read looks every reference up in the cache. Only an error that is no answer
// is one.
func (c Configuration) read(ctx context.Context, from client.Reader, m *v1alpha1.Microservice, slot string) (configuration, error) {
	references := desired.References(m, slot)
	all := configuration{used: len(references) > 0}
	var looked, found []string
	for _, r := range references {
		if r.Kind == desired.KindSecret && !c.Secrets {
			continue
		}
		what, missing, err := c.find(ctx, from, m.Namespace, r)
		if err != nil {
			return all, err
		}
		if missing != "" {
			all.missing = append(all.missing, missing)
		}
		looked, found = append(looked, fmt.Sprint(r)), append(found, what)
	}
	all.missing = slices.Compact(all.missing)
	if len(looked) > 0 && len(all.missing) == 0 {
		all.sum = c.Hasher.Sum(looked, found)
	}
	return all, nil
}

// find returns what one reference finds, or says what is missing.
func (c Configuration) find(ctx context.Context, from client.Reader, namespace string, r desired.Reference) (found, missing string, err error) {
	var object client.Object = &corev1.ConfigMap{}
	if r.Kind == desired.KindSecret {
		object = &corev1.Secret{}
	}
	err = from.Get(ctx, client.ObjectKey{Namespace: namespace, Name: r.Name}, object)
	switch {
	case client.IgnoreNotFound(err) != nil:
		return "", "", fmt.Errorf("read %s %s: %w", r.Kind, r.Name, err)
	case err == nil:
		if found, ok := content.Found(c.Hasher.Hashes(object), r.Key); ok {
			return found, "", nil
		}
		missing = fmt.Sprintf("key %s of %s %s", r.Key, r.Kind, r.Name)
	default:
		missing = fmt.Sprintf("%s %s", r.Kind, r.Name)
	}
	if r.Optional {
		return content.Absent, "", nil
	}
	return "", missing, nil
}

// users are the Microservices that refer to a ConfigMap or Secret.
func (r *Reconciler) users(ctx context.Context, object client.Object) []reconcile.Request {
	kind := desired.KindConfigMap
	if _, ok := object.(*corev1.Secret); ok {
		kind = desired.KindSecret
	}
	list := &v1alpha1.MicroserviceList{}
	err := r.Client.List(ctx, list, client.InNamespace(object.GetNamespace()),
		client.MatchingFields{referenceIndex: kind + "/" + object.GetName()}, client.UnsafeDisableDeepCopy)
	if err != nil { // the cache has no index: a fault of the program
		logf.FromContext(ctx).Error(err, "Cannot find the Microservices that use an object", "kind", kind, "object", object.GetName())
	}
	var requests []reconcile.Request
	for i := range list.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
	}
	return requests
}

// contentChanged leaves out updates of labels and the like.
func (c Configuration) contentChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return !maps.EqualFunc(c.Hasher.Hashes(e.ObjectOld), c.Hasher.Hashes(e.ObjectNew), slices.Equal)
	}}
}

// config is what the Deployment is marked with.
func (o observed) config() desired.Config {
	if !o.configuration.used {
		return desired.Config{}
	}
	return desired.ConfigOf(o.deployment, o.configuration.sum)
}

// configResolved is nil while all is there that pods need to start.
func configResolved(o observed) *metav1.Condition {
	missing := o.configuration.missing
	if len(missing) == 0 {
		return nil
	}
	more := ""
	if n := len(missing) - 1; n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return &metav1.Condition{
		Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonConfigMissing, Message: fmt.Sprintf(
			"%s%s: not found; create it, or correct the reference. Pods that run go on, new ones cannot start", missing[0], more),
	}
}
