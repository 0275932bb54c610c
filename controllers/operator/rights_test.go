package operator

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	apirequest "k8s.io/apiserver/pkg/endpoints/request"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/conditions"
	"github.com/streamplane/streamplane/controllers/microservice"
)

// use is a verb on a resource, as the API server authorizes it, and where.
type use struct {
	verb, group, resource, namespace string
}

// uses are what requests needed a right for.
type uses map[use]bool

// add reads a request as the API server does.
func (all *uses) add(sent *http.Request, status int) {
	prefixes := apirequest.RequestInfoFactory{
		APIPrefixes:          map[string]sets.Empty{"api": {}, "apis": {}},
		GrouplessAPIPrefixes: map[string]sets.Empty{"api": {}},
	}
	info, err := prefixes.NewRequestInfo(sent)
	if err != nil || !info.IsResourceRequest {
		return // discovery, which everybody may do
	}
	u := use{info.Verb, info.APIGroup, info.Resource, info.Namespace}
	if info.Subresource != "" {
		u.resource += "/" + info.Subresource
	}
	if *all == nil {
		*all = uses{}
	}
	(*all)[u] = true
	switch {
	case u.verb == "patch" && status == http.StatusCreated: // an apply that creates
		u.verb = "create"
	case u.verb == "watch" && sent.URL.Query().Get("sendInitialEvents") == "true":
		u.verb = "list" // by which an informer starts where the API server cannot stream
	}
	(*all)[u] = true
}

// used says what needed a right so far: in the operator's own namespace, and
// elsewhere.
func (r *requests) used() (atHome, elsewhere []string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for u := range r.uses {
		line := grant(u.verb, u.group, u.resource)
		if u.namespace == home {
			atHome = append(atHome, line)
		} else {
			elsewhere = append(elsewhere, line)
		}
	}
	return unique(atHome), unique(elsewhere)
}

func grant(verb, group, resource string) string {
	return resource + "." + group + ": " + verb
}

func unique(lines []string) []string {
	slices.Sort(lines)
	return slices.Compact(lines)
}

// roles are the ones of a file: a ClusterRole and a Role read alike.
func roles(t *testing.T, file string) []rbacv1.ClusterRole {
	t.Helper()
	documents, err := documentsOf(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []rbacv1.ClusterRole
	for _, document := range documents {
		var role rbacv1.ClusterRole
		if err := yaml.Unmarshal([]byte(document), &role); err != nil {
			t.Fatal(err)
		}
		if role.Kind == "ClusterRole" || role.Kind == "Role" {
			all = append(all, role)
		}
	}
	if len(all) == 0 {
		t.Fatalf("no role in %s", file)
	}
	return all
}

// allRoles are those of config/rbac.
func allRoles(t *testing.T) []rbacv1.ClusterRole {
	t.Helper()
	return slices.Concat(roles(t, roleFile), roles(t, metricsRoleFile), roles(t, secretsRoleFile))
}

// granted says what roles allow the operator in its own namespace, and elsewhere.
func granted(all []rbacv1.ClusterRole) (atHome, elsewhere []string) {
	for _, role := range all {
		lines := grants(role.Rules)
		if role.Namespace == home {
			atHome = append(atHome, lines...)
		} else {
			elsewhere = append(elsewhere, lines...)
		}
	}
	return unique(atHome), unique(elsewhere)
}

func grants(rules []rbacv1.PolicyRule) []string {
	var all []string
	for _, rule := range rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					all = append(all, grant(verb, group, resource))
				}
			}
		}
	}
	return all
}

// The operator may do what it does and nothing else. A new behaviour that needs
// a right belongs into this test: it runs everything, in one operator.
func TestRightsAreExact(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		watchSecrets bool
		roles        []rbacv1.ClusterRole
	}{
		"with Secrets":    {true, allRoles(t)},
		"without Secrets": {false, append(roles(t, roleFile), roles(t, metricsRoleFile)...)},
	} {
		t.Run(name, func(t *testing.T) { testRights(t, tc.watchSecrets, tc.roles) })
	}
}

func testRights(t *testing.T, watchSecrets bool, may []rbacv1.ClusterRole) {
	t.Helper()
	w := newWorld(t)
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: leaderElectionID}}
	if err := client.IgnoreNotFound(w.client.Delete(t.Context(), lease)); err != nil { // of the run before
		t.Fatal(err)
	}
	address := freeAddress(t)
	o := w.startAs(withoutKey(plane.operator), Options{
		Catalog: catalog("1.0.0"), WatchNamespaces: []string{w.namespace},
		LeaderElect: true, LeaderElectionNamespace: home, Namespace: home, WatchSecrets: watchSecrets,
		Metrics: Metrics{Address: address, Secure: true},
	})
	w.playControllers()
	p := w.platform(`{defaults: {metrics: {}}, edge: {parentRefs: [{name: public}], ingress: {}}, services: [{name: gateway, rollout: {historyLimit: 0}, migration: {args: [migrate]}, files: [{mountPath: /etc/motd, content: hello}],
		autoscaling: {mode: KEDA, minReplicas: 2, maxReplicas: 3, triggers: [{type: cron, metadata: {timezone: UTC}}]},
		storage: [{name: media, kind: Shared, size: 1Gi, mountPath: /shared}]}]}`)
	w.ready(p)
	o.settle()
	for range 2 { // as by a reconcile that has not yet seen its last report; the second is a patch
		conditions.Announce(o.platforms.Events, p, nil, p.Status.Conditions)
	}
	w.leaveBehind()
	w.revisionOfOthers("finder", finder)
	w.becomes(w.microservice("finder", finder), v1alpha1.ConditionStalled, v1alpha1.ReasonNameConflict, "")
	w.migrationOfOthers("mover", migrates("1"))
	w.becomes(w.microservice("mover", migrates("1")), v1alpha1.ConditionStalled, v1alpha1.ReasonNameConflict, "")
	change(w, p, func(p *v1alpha1.StreamingPlatform) {
		p.Spec.Services = append(p.Spec.Services, v1alpha1.PlatformService{Name: "streaming", Enabled: new(false)})
	})
	gone := &v1alpha1.Microservice{}
	gone.Name, gone.Namespace = "acme-streaming", w.namespace
	w.goes(gone)
	w.eventually(func() error { return scraped(w, address, w.token("default"), http.StatusForbidden) })

	mayAtHome, mayElsewhere := granted(may)
	w.eventually(func() error { // the lease is renewed every few seconds
		atHome, elsewhere := o.requests.used()
		return errors.Join(
			differ("in its own namespace", mayAtHome, atHome),
			differ("elsewhere", mayElsewhere, elsewhere),
		)
	})
}

func differ(where string, may, does []string) error {
	if diff := cmp.Diff(may, does); diff != "" {
		return fmt.Errorf("%s (-granted +used):\n%s", where, diff)
	}
	return nil
}

// leaveBehind makes an object of every kind, as another version of the operator
// would have made it for acme-gateway, and waits until it is deleted.
func (w *world) leaveBehind() {
	w.Helper()
	owner := get(w, "acme-gateway", &v1alpha1.Microservice{})
	metadata := fmt.Sprintf(`metadata: {name: left-behind, labels: {app.kubernetes.io/managed-by: streamplane}, ownerReferences: [
		{apiVersion: streamplane.dev/v1alpha1, kind: Microservice, name: %s, uid: %s, controller: true}]}`, owner.Name, owner.UID)
	specs := map[string]string{
		"*v1.ServiceAccount": "",
		"*v1.ConfigMap":      "",
		"*v1.NetworkPolicy":  ", spec: {podSelector: {}}",
		"*v1.Service":        ", spec: {ports: [{port: 80}]}",
		"*v1.Deployment": `, spec: {selector: {matchLabels: {a: b}},
			template: {metadata: {labels: {a: b}}, spec: {containers: [{name: x, image: "registry.test/x:1"}]}}}`,
		"*v2.HorizontalPodAutoscaler": ", spec: {maxReplicas: 1, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: none}}",
		"*v1.PodDisruptionBudget":     ", spec: {maxUnavailable: 1}",
		"*v1.ControllerRevision":      ", revision: 0, data: {}",
		"*v1.Job":                     `, spec: {template: {spec: {restartPolicy: Never, containers: [{name: x, image: "registry.test/x:1"}]}}}`,
		"*v1.Ingress":                 ", spec: {defaultBackend: {service: {name: a, port: {number: 1}}}}",
		"ServiceMonitor":              ", spec: {selector: {}, endpoints: []}",
		"HTTPRoute":                   ", spec: {}",
		"ScaledObject":                ", spec: {scaleTargetRef: {name: none}, triggers: []}",
	}
	for _, object := range microservice.Owned() {
		spec, ok := specs[fmt.Sprintf("%T", object)]
		if !ok {
			w.Fatalf("a kind to leave behind: %T", object)
		}
		w.createYAML("{"+metadata+spec+"}", object)
		w.goes(object)
	}
	for _, api := range microservice.Optional() {
		spec, ok := specs[api.Kind.Kind]
		if !ok {
			w.Fatalf("a kind to leave behind: %s", api.Kind)
		}
		object := &unstructured.Unstructured{}
		w.createYAML("{apiVersion: "+api.Kind.GroupVersion().String()+", kind: "+api.Kind.Kind+", "+metadata+spec+"}", object)
		w.goes(object)
	}
}

func TestNoRoleHasAWildcard(t *testing.T) {
	for _, role := range allRoles(t) {
		for _, rule := range role.Rules {
			words := slices.Concat(rule.Verbs, rule.APIGroups, rule.Resources, rule.NonResourceURLs)
			if slices.ContainsFunc(words, func(word string) bool { return strings.Contains(word, "*") }) {
				t.Errorf("%s: %v", role.Name, rule)
			}
		}
	}
}

// What is not in a namespace belongs to everybody: the operator writes none of
// it, and only asks who reads its metrics.
func TestClusterScopedRights(t *testing.T) {
	t.Parallel()
	mapper := newWorld(t).client.RESTMapper()
	var got []string
	_, all := granted(allRoles(t))
	for _, line := range all {
		resource, _, _ := strings.Cut(line, ": ")
		name, group, _ := strings.Cut(resource, ".")
		name, _, _ = strings.Cut(name, "/")
		kind, err := mapper.KindFor(schema.GroupVersionResource{Group: group, Resource: name})
		if err != nil {
			t.Fatal(err)
		}
		mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			t.Fatal(err)
		}
		if mapping.Scope.Name() == apimeta.RESTScopeNameRoot {
			got = append(got, line)
		}
	}
	want := []string{"subjectaccessreviews.authorization.k8s.io: create", "tokenreviews.authentication.k8s.io: create"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cluster-scoped rights (-want +got):\n%s", diff)
	}
}
