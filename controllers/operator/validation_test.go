package operator

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/internal/golden"
)

// send creates an object as kubectl apply does: unknown fields are errors.
func (w *world) send(kind, name, spec string) error {
	w.Helper()
	object := &unstructured.Unstructured{}
	text := fmt.Sprintf("{apiVersion: streamplane.dev/v1alpha1, kind: %s, metadata: {name: %s, namespace: %s}, spec: %s}",
		kind, name, w.namespace, spec)
	if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
		w.Fatalf("%v in %s", err, text)
	}
	return w.client.Create(w.Context(), object, client.FieldValidation("Strict"))
}

func TestBadPlatformsAreRejected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cases := map[string]struct {
		name string // acme when empty
		spec string
		want []string // parts of the message
	}{
		"unknown field": {"", "{servces: []}", []string{`unknown field "spec.servces"`}},
		"unknown field of a service": {
			"", "{services: [{name: a, imgae: x}]}", []string{`unknown field "spec.services[0].imgae"`},
		},
		"negative replicas": {
			"", "{services: [{name: gateway, replicas: -1}]}", []string{"spec.services[0].replicas", "greater than or equal to 0"},
		},
		"too many replicas": {"", "{services: [{name: gateway, replicas: 1001}]}", []string{"spec.services[0].replicas"}},
		"min above max": {
			"", "{services: [{name: gateway, autoscaling: {minReplicas: 3, maxReplicas: 2}}]}",
			[]string{"spec.services[0].autoscaling.minReplicas", "minReplicas must not exceed maxReplicas"},
		},
		"min of zero": {
			"", "{services: [{name: gateway, autoscaling: {minReplicas: 0, maxReplicas: 2}}]}",
			[]string{"spec.services[0].autoscaling.minReplicas"},
		},
		"autoscaling without max": {
			"", "{services: [{name: gateway, autoscaling: {minReplicas: 1}}]}", []string{"spec.services[0].autoscaling.maxReplicas", "Required"},
		},
		"replicas and autoscaling": {
			"", "{services: [{name: gateway, replicas: 1, autoscaling: {minReplicas: 1, maxReplicas: 2}}]}",
			[]string{"spec.services[0]", "replicas and autoscaling are mutually exclusive: remove one of them"},
		},
		"image in capitals":     {"", `{services: [{name: gateway, image: "Registry/Image"}]}`, []string{"spec.services[0].image"}},
		"image with a space":    {"", `{services: [{name: gateway, image: "registry.test/a b"}]}`, []string{"spec.services[0].image"}},
		"image with a scheme":   {"", `{services: [{name: gateway, image: "https://registry.test/a"}]}`, []string{"spec.services[0].image"}},
		"image with a bad tag":  {"", `{services: [{name: gateway, image: "registry.test/a:"}]}`, []string{"spec.services[0].image"}},
		"image with bad digest": {"", `{services: [{name: gateway, image: "registry.test/a@sha256:abc"}]}`, []string{"spec.services[0].image"}},
		"empty image":           {"", `{services: [{name: gateway, image: ""}]}`, []string{"spec.services[0].image"}},
		"duplicate names": {
			"", "{services: [{name: gateway}, {name: gateway}]}", []string{"spec.services[1]", "Duplicate value", "gateway"},
		},
		"service name too long": {
			"", "{services: [{name: " + strings.Repeat("a", 41) + "}]}", []string{"spec.services[0].name", "40"},
		},
		"service name in capitals": {"", "{services: [{name: Gateway}]}", []string{"spec.services[0].name"}},
		"no service name":          {"", "{services: [{replicas: 1}]}", []string{"spec.services[0].name", "Required"}},
		"platform name too long": {
			strings.Repeat("a", 51), "{}", []string{"metadata.name must be at most 50 characters"},
		},
		"platform name with a dot":               {"a.b", "{}", []string{"metadata.name", "no dots"}},
		"platform name that begins with a digit": {"4k", "{}", []string{"metadata.name", "begin with a letter"}},
		"probe of another host": {
			"", `{services: [{name: gateway, probes: {liveness: {httpGet: {port: 1, host: "192.0.2.1"}}}}]}`,
			[]string{"spec.services[0].probes.liveness", "remove host"},
		},
		"unknown size": {"", "{size: Huge}", []string{"spec.size", `"Small", "Medium", "Large"`}},
		"bad registry": {"", `{images: {registry: "https://x"}}`, []string{"spec.images.registry"}},
		"bad release":  {"", `{release: "1 0"}`, []string{"spec.release"}},
		"a variable without a name": {
			"", "{services: [{name: gateway, env: [{value: x}]}]}", []string{"spec.services[0].env[0].name", "Required"},
		},
		"a variable twice": {
			"", "{services: [{name: gateway, env: [{name: A}, {name: A}]}]}", []string{"spec.services[0].env[1]", "Duplicate value"},
		},
		"a variable of two sources": {
			"", "{defaults: {env: [{name: A, value: x, valueFrom: {secretKeyRef: {name: s, key: k}}}]}}",
			[]string{"spec.defaults.env[0]", "value and valueFrom are mutually exclusive"},
		},
		"port out of range": {
			"", "{services: [{name: gateway, ports: [{name: http, port: 70000}]}]}", []string{"spec.services[0].ports[0].port", "65535"},
		},
		"unknown strategy": {
			"", "{services: [{name: gateway, rollout: {strategy: Canary}}]}", []string{"spec.services[0].rollout.strategy", "Rolling"},
		},
		"a label of ours on a ServiceMonitor": {
			"", "{defaults: {metrics: {labels: {app.kubernetes.io/name: a}}}}", []string{"spec.defaults.metrics.labels", "remove them"},
		},
		"an edge to nothing":       {"", "{edge: {hostnames: [tv.example.com]}}", []string{"spec.edge", "set parentRefs, ingress or both"}},
		"metrics at no path":       {"", "{defaults: {metrics: {path: metrics}}}", []string{"spec.defaults.metrics.path"}},
		"metrics without a unit":   {"", "{defaults: {metrics: {interval: '15'}}}", []string{"spec.defaults.metrics.interval"}},
		"metrics of no known mode": {"", "{defaults: {metrics: {mode: PodMonitor}}}", []string{"spec.defaults.metrics.mode", "ServiceMonitor"}},
		"too many services":        {"", "{services: [" + strings.Repeat("{name: a}, ", 51) + "]}", []string{"spec.services", "50"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			platform := tc.name
			if platform == "" {
				platform = "acme"
			}
			checkRejected(t, w.in(t).send("StreamingPlatform", platform, tc.spec), tc.want)
		})
	}
}

func TestBadMicroservicesAreRejected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const image = `image: "registry.test/x:1"`
	cases := map[string]struct {
		name string // search when empty
		spec string
		want []string // parts of the message
	}{
		"no platform":           {"", "{" + image + "}", []string{"spec.platformRef", "Required"}},
		"no name of a platform": {"", "{platformRef: {}, " + image + "}", []string{"spec.platformRef.name", "Required"}},
		"no image":              {"", "{platformRef: {name: acme}}", []string{"spec.image", "image is required"}},
		"replicas and autoscaling": {
			"", "{platformRef: {name: acme}, " + image + ", replicas: 1, autoscaling: {minReplicas: 1, maxReplicas: 2}}",
			[]string{"replicas and autoscaling are mutually exclusive"},
		},
		"negative replicas": {
			"", "{platformRef: {name: acme}, " + image + ", replicas: -1}", []string{"spec.replicas"},
		},
		"scaling to zero by others": {
			"", "{platformRef: {name: acme}, " + image + ", autoscaling: {mode: KEDA, minReplicas: 1, maxReplicas: 2, triggers: [{type: cron, metadata: {}}], scaleToZero: {service: queue, metric: depth}}}",
			[]string{"spec.autoscaling.scaleToZero", "scaleToZero needs mode Native"},
		},
		"a migration that does not end": {
			"", "{platformRef: {name: acme}, " + image + ", migration: {}}", []string{"spec.migration", "set image, command or args"},
		},
		"a migration beside storage of one pod": {
			"", "{platformRef: {name: acme}, " + image + ", migration: {args: [up]}, storage: [{name: a, kind: Single, size: 1Gi, mountPath: /a}]}",
			[]string{"spec.migration", "use an init container instead"},
		},
		"unknown field": {
			"", "{platformRef: {name: acme}, " + image + ", replica: 1}", []string{`unknown field "spec.replica"`},
		},
		"service name too long": {
			"", "{platformRef: {name: acme}, " + image + ", serviceName: " + strings.Repeat("a", 41) + "}", []string{"spec.serviceName", "40"},
		},
		"name too long":   {strings.Repeat("a", 64), "{platformRef: {name: acme}, " + image + "}", []string{"metadata.name must be at most 63 characters"}},
		"bad platform":    {"", "{platformRef: {name: A.b}, " + image + "}", []string{"spec.platformRef.name"}},
		"name with a dot": {"a.b", "{platformRef: {name: acme}, " + image + "}", []string{"metadata.name", "no dots"}},
		"relative mount": {
			"", "{platformRef: {name: acme}, " + image + ", volumeMounts: [{name: a, mountPath: media}]}",
			[]string{"spec.volumeMounts[0].mountPath"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			service := tc.name
			if service == "" {
				service = "search"
			}
			checkRejected(t, w.in(t).send("Microservice", service, tc.spec), tc.want)
		})
	}
}

func checkRejected(t *testing.T, err error, want []string) {
	t.Helper()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not contain %q", err, part)
		}
	}
}

func TestServiceNameIsImmutable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.microservice("search", `{platformRef: {name: acme}, serviceName: search, image: "registry.test/x:1"}`)
	cases := map[string]string{
		"changed": `{"spec": {"serviceName": "finder"}}`,
		"removed": `{"spec": {"serviceName": null}}`,
	}
	for name, patch := range cases {
		t.Run(name, func(t *testing.T) {
			err := w.client.Patch(t.Context(), m.DeepCopy(), client.RawPatch("application/merge-patch+json", []byte(patch)))
			checkRejected(t, err, []string{"serviceName is immutable"})
		})
	}
}

// What the tests and samples use is accepted, so that a rule can be too strict.
func TestGoodInputIsAccepted(t *testing.T) {
	t.Parallel()
	folders := map[string]client.Object{
		"../../config/samples":             &v1alpha1.StreamingPlatform{},
		"../platform/desired/testdata":     &v1alpha1.StreamingPlatform{},
		"../microservice/desired/testdata": &v1alpha1.Microservice{},
	}
	for folder, kind := range folders {
		for name, file := range golden.Inputs(t, folder) {
			t.Run(kind.GetObjectKind().GroupVersionKind().Kind+name, func(t *testing.T) {
				w := newWorld(t)
				object := kind.DeepCopyObject().(client.Object)
				golden.Read(t, file, object)
				w.create(object)
			})
		}
	}
}
