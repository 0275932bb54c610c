package desired

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// The kinds that a Reference may have.
const (
	KindConfigMap = "ConfigMap"
	KindSecret    = "Secret"
)

// A Reference is what pods take from a ConfigMap or Secret.
type Reference struct {
	Kind, Name string
	// Key that is taken; "" for all.
	Key string
	// Optional says that pods start without it.
	Optional bool
}

// References lists what the pods of a Microservice take from ConfigMaps and
// Secrets, in a fixed order. Those of spec.files are left out, because their
// content is in their names; routes, because gateway follows them as they
// change; and pull secrets, because no pod sees them.
func References(m *v1alpha1.Microservice, slot string) []Reference {
	template, _ := podTemplate(m, slot) // Rejected tells the problem
	all := references{}
	for _, c := range slices.Concat(template.Spec.InitContainers, template.Spec.Containers) {
		all.addContainer(c)
	}
	for _, v := range template.Spec.Volumes {
		if v.Name != filesVolumeName {
			all.addVolume(v)
		}
	}
	all = slices.DeleteFunc(all, func(r Reference) bool { return r.Kind == KindConfigMap && r.Name == RoutesName(m.Name) })
	slices.SortFunc(all, compareReferences)
	return slices.Compact(all)
}

func compareReferences(a, b Reference) int {
	byOptional := 0
	if a.Optional != b.Optional {
		byOptional = 1
		if b.Optional {
			byOptional = -1
		}
	}
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Key, b.Key), byOptional)
}

type references []Reference

func (all *references) add(kind, name, key string, optional *bool) {
	*all = append(*all, Reference{Kind: kind, Name: name, Key: key, Optional: optional != nil && *optional})
}

func (all *references) addContainer(c corev1.Container) {
	for _, e := range c.Env {
		if e.ValueFrom == nil {
			continue
		}
		if ref := e.ValueFrom.ConfigMapKeyRef; ref != nil {
			all.add(KindConfigMap, ref.Name, ref.Key, ref.Optional)
		}
		if ref := e.ValueFrom.SecretKeyRef; ref != nil {
			all.add(KindSecret, ref.Name, ref.Key, ref.Optional)
		}
	}
	for _, e := range c.EnvFrom {
		if ref := e.ConfigMapRef; ref != nil {
			all.add(KindConfigMap, ref.Name, "", ref.Optional)
		}
		if ref := e.SecretRef; ref != nil {
			all.add(KindSecret, ref.Name, "", ref.Optional)
		}
	}
}

func (all *references) addVolume(v corev1.Volume) {
	if s := v.ConfigMap; s != nil {
		all.addItems(Reference{Kind: KindConfigMap, Name: s.Name}, s.Items, s.Optional)
	}
	if s := v.Secret; s != nil {
		all.addItems(Reference{Kind: KindSecret, Name: s.SecretName}, s.Items, s.Optional)
	}
	if v.Projected == nil {
		return
	}
	for _, source := range v.Projected.Sources {
		if s := source.ConfigMap; s != nil {
			all.addItems(Reference{Kind: KindConfigMap, Name: s.Name}, s.Items, s.Optional)
		}
		if s := source.Secret; s != nil {
			all.addItems(Reference{Kind: KindSecret, Name: s.Name}, s.Items, s.Optional)
		}
	}
}

// addItems adds the keys that a volume shows: all when it lists none.
func (all *references) addItems(to Reference, items []corev1.KeyToPath, optional *bool) {
	if len(items) == 0 {
		all.add(to.Kind, to.Name, "", optional)
	}
	for _, item := range items {
		all.add(to.Kind, to.Name, item.Key, optional)
	}
}
