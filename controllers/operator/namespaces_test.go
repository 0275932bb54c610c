package operator

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// as is a user without any rights but those that are bound to its name.
func as(user string) *rest.Config {
	cfg := rest.CopyConfig(plane.admin)
	cfg.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:authenticated"}}
	return cfg
}

// allow gives a user rights in the namespace.
func (w *world) allow(user string, rules ...rbacv1.PolicyRule) {
	w.Helper()
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{GenerateName: user + "-"}, Rules: rules}
	w.create(role)
	w.create(&rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	})
}

// With roles in the watched namespaces the operator needs nothing elsewhere.
func TestNamespacedOperator(t *testing.T) {
	t.Parallel()
	watched, other := newWorld(t), newWorld(t)
	const user = "namespaced-operator"
	for _, role := range append(roles(t, roleFile), roles(t, secretsRoleFile)...) {
		if role.Kind == "ClusterRole" || role.Name == "streamplane-config-key" {
			watched.allow(user, role.Rules...)
		}
	}
	o := watched.startAs(as(user), Options{
		Catalog: catalog("1.0.0"), WatchNamespaces: []string{watched.namespace}, Namespace: watched.namespace, WatchSecrets: true,
		Metrics: Metrics{Address: "0"},
	})
	watched.playControllers()
	other.platform("{}")
	p := watched.platform("{}")
	watched.ready(p)
	o.settle()
	o.idle()

	if diff := cmp.Diff([]string{watched.namespace}, o.requests.namespaces()); diff != "" {
		t.Errorf("namespaces asked for (-want +got):\n%s", diff)
	}
	if all := other.versions(); len(all) != 1 {
		t.Errorf("in a namespace that is not watched: %v", all)
	}
}

// namespaces are those that requests went to; "" is the cluster.
func (r *requests) namespaces() []string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var all []string
	for u := range r.uses {
		all = append(all, u.namespace)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
