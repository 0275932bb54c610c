package desired

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func TestMerge(t *testing.T) {
	cases := map[string]struct{ base, defaults, own, want string }{
		"nothing set keeps the base": {
			base: "{image: a, command: [x], replicas: 2}",
			want: "{image: a, command: [x], replicas: 2}",
		},
		"own fields win over defaults over base": {
			base:     "{env: [{name: A, value: base}, {name: B, value: base}, {name: C, value: base}]}",
			defaults: "{env: [{name: B, value: default}, {name: C, value: default}, {name: D, value: default}]}",
			own:      "{env: [{name: C, value: own}, {name: E, value: own}]}",
			want: `{env: [{name: A, value: base}, {name: B, value: default}, {name: C, value: own},
				{name: D, value: default}, {name: E, value: own}]}`,
		},
		"a variable from a secret replaces one with a value": {
			base: "{env: [{name: A, value: base}]}",
			own:  "{env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}",
			want: "{env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}",
		},
		"a variable with a value replaces one from a secret": {
			base: "{env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}",
			own:  "{env: [{name: A, value: own}]}",
			want: "{env: [{name: A, value: own}]}",
		},
		"a variable from a config map replaces one from a secret": {
			defaults: "{env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}",
			own:      "{env: [{name: A, valueFrom: {configMapKeyRef: {name: c, key: k}}}]}",
			want:     "{env: [{name: A, valueFrom: {configMapKeyRef: {name: c, key: k}}}]}",
		},
		"an empty variable replaces one with a value": {
			base: "{env: [{name: A, value: base}]}",
			own:  "{env: [{name: A}]}",
			want: "{env: [{name: A}]}",
		},
		"replicas replace autoscaling": {
			base: "{autoscaling: {minReplicas: 2, maxReplicas: 6}}",
			own:  "{replicas: 0}",
			want: "{replicas: 0}",
		},
		"autoscaling bounds are overridden one by one, the target stays": {
			base: "{autoscaling: {minReplicas: 2, maxReplicas: 6, cpu: {averageUtilization: 50}}}",
			own:  "{autoscaling: {minReplicas: 3, maxReplicas: 9}}",
			want: "{autoscaling: {minReplicas: 3, maxReplicas: 9, cpu: {averageUtilization: 50}}}",
		},
		"resources are overridden one by one": {
			base: "{resources: {requests: {cpu: 100m, memory: 1Gi}, limits: {memory: 2Gi}}}",
			own:  "{resources: {requests: {cpu: 2}}}",
			want: "{resources: {requests: {cpu: 2, memory: 1Gi}, limits: {memory: 2Gi}}}",
		},
		"a probe is replaced whole, its neighbours stay": {
			base: "{probes: {readiness: {httpGet: {path: /a, port: 1}, periodSeconds: 2}, liveness: {httpGet: {path: /b, port: 1}}}}",
			own:  "{probes: {readiness: {tcpSocket: {port: 2}}}}",
			want: "{probes: {readiness: {tcpSocket: {port: 2}}, liveness: {httpGet: {path: /b, port: 1}}}}",
		},
		"ports are merged by name, in the order of the base": {
			base: "{ports: [{name: http, port: 8080, servicePort: 80}, {name: metrics, port: 9090}]}",
			own:  "{ports: [{name: http, port: 8000}]}",
			want: "{ports: [{name: http, port: 8000, servicePort: 80}, {name: metrics, port: 9090}]}",
		},
		"commands and arguments are replaced": {
			base: "{command: [a, b], args: [c]}",
			own:  "{command: [d], args: [e, f]}",
			want: "{command: [d], args: [e, f]}",
		},
		"rollout fields are merged": {
			base:     "{}",
			defaults: "{rollout: {maxSurge: 25%, maxUnavailable: 1}}",
			own:      "{rollout: {maxSurge: 2}}",
			want:     "{rollout: {maxSurge: 2, maxUnavailable: 1}}",
		},
		"calls and volumes are merged by their keys": {
			base: "{calls: [{to: a}], volumes: [{name: v, emptyDir: {sizeLimit: 1Gi}}], volumeMounts: [{name: v, mountPath: /v, readOnly: true}]}",
			own:  "{calls: [{to: b, port: 1}], volumes: [{name: v, emptyDir: {sizeLimit: 9Gi}}], volumeMounts: [{name: v, mountPath: /w}]}",
			want: `{calls: [{to: a}, {to: b, port: 1}], volumes: [{name: v, emptyDir: {sizeLimit: 9Gi}}],
				volumeMounts: [{name: v, mountPath: /v, readOnly: true}, {name: v, mountPath: /w}]}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var base, own, want v1alpha1.WorkloadSpec
			var defaults *v1alpha1.ServiceDefaults
			decode(t, tc.base, &base)
			decode(t, tc.own, &own)
			decode(t, tc.want, &want)
			if tc.defaults != "" {
				defaults = &v1alpha1.ServiceDefaults{}
				decode(t, tc.defaults, defaults)
			}
			got, err := merge(base, defaults, own)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}
