package desired

import (
	"reflect"
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
		"metrics are overridden one by one": {
			defaults: "{metrics: {interval: 15s, labels: {a: default, b: default}}}",
			own:      "{metrics: {port: http, labels: {b: own}}}",
			want:     "{metrics: {interval: 15s, port: http, labels: {a: default, b: own}}}",
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
		"what size gives a service wins over defaults, which fill in the rest": {
			base:     "{terminationGracePeriodSeconds: 75, resources: {requests: {cpu: 100m}, limits: {memory: 1Gi}}}",
			defaults: "{terminationGracePeriodSeconds: 30, resources: {requests: {cpu: 2, ephemeral-storage: 1Gi}}}",
			want:     `{terminationGracePeriodSeconds: 75, resources: {requests: {cpu: 100m, ephemeral-storage: 1Gi}, limits: {memory: 1Gi}}}`,
		},
		"a service's own resources win over defaults": {
			defaults: "{terminationGracePeriodSeconds: 30, resources: {requests: {cpu: 2}, limits: {memory: 1Gi}}}",
			own:      "{terminationGracePeriodSeconds: 9, resources: {requests: {cpu: 1}}}",
			want:     "{terminationGracePeriodSeconds: 9, resources: {requests: {cpu: 1}, limits: {memory: 1Gi}}}",
		},
		"defaults are merged as fields are": {
			defaults: `{podLabels: {a: default, b: default}, podAnnotations: {a: default}, nodeSelector: {a: default},
				envFrom: [{secretRef: {name: a}}], tolerations: [{key: a}], priorityClassName: low, disruption: {maxUnavailable: 1},
				topologySpread: [{topologyKey: a, maxSkew: 1, whenUnsatisfiable: x}]}`,
			own: `{podLabels: {b: own}, nodeSelector: {b: own}, envFrom: [{secretRef: {name: b}}], disruption: {mode: Unlimited},
				topologySpread: [{topologyKey: b, maxSkew: 1, whenUnsatisfiable: x}]}`,
			want: `{podLabels: {a: default, b: own}, podAnnotations: {a: default}, nodeSelector: {a: default, b: own},
				envFrom: [{secretRef: {name: b}}], tolerations: [{key: a}], priorityClassName: low, disruption: {mode: Unlimited},
				topologySpread: [{topologyKey: b, maxSkew: 1, whenUnsatisfiable: x}]}`,
		},
		"a service of one pod takes no default about a second": {
			defaults: "{rollout: {maxSurge: 3, progressDeadlineSeconds: 60}}",
			own:      "{storage: [{name: a, kind: Single, size: 1Gi, mountPath: /a}]}",
			want:     "{storage: [{name: a, kind: Single, size: 1Gi, mountPath: /a}], rollout: {progressDeadlineSeconds: 60}}",
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
		"External takes the place of bounds": {
			base: "{autoscaling: {minReplicas: 2, maxReplicas: 6, cpu: {averageUtilization: 50}}}",
			own:  "{replicas: 3, autoscaling: {mode: External}}",
			want: "{replicas: 3, autoscaling: {mode: External}}",
		},
		"a target is added, metrics and behavior are replaced": {
			base: `{autoscaling: {minReplicas: 2, maxReplicas: 6, cpu: {averageUtilization: 50}, metrics: [{type: Pods}, {type: Object}],
				memory: {averageValue: 1Gi}, behavior: {scaleUp: {stabilizationWindowSeconds: 5}}}}`,
			own: `{autoscaling: {minReplicas: 2, maxReplicas: 6, metrics: [{type: External}], memory: {averageUtilization: 80},
				behavior: {scaleDown: {stabilizationWindowSeconds: 6}}}}`,
			want: `{autoscaling: {minReplicas: 2, maxReplicas: 6, cpu: {averageUtilization: 50}, metrics: [{type: External}],
				memory: {averageUtilization: 80}, behavior: {scaleDown: {stabilizationWindowSeconds: 6}}}}`,
		},
		"a volume of another kind replaces one": {
			base: "{volumes: [{name: a, emptyDir: {sizeLimit: 1Gi}}, {name: media, emptyDir: {sizeLimit: 1Gi}}]}",
			own:  "{volumes: [{name: b, secret: {name: s}}, {name: media, persistentVolumeClaim: {claimName: media}}]}",
			want: `{volumes: [{name: a, emptyDir: {sizeLimit: 1Gi}}, {name: media, persistentVolumeClaim: {claimName: media}},
				{name: b, secret: {name: s}}]}`,
		},
		"files are merged by path": {
			base: "{files: [{mountPath: /a, content: base}, {mountPath: /b, content: base}]}",
			own:  `{files: [{mountPath: /c, content: own}, {mountPath: /a, content: ""}]}`,
			want: `{files: [{mountPath: /a, content: ""}, {mountPath: /b, content: base}, {mountPath: /c, content: own}]}`,
		},
		"sidecars and init containers are merged by name, and so are their lists": {
			base: `{sidecars: [{name: a, image: x, env: [{name: A, value: base}, {name: B, value: base}], probes: {liveness: {tcpSocket: {port: 1}}}}],
				initContainers: [{name: i, image: x, env: [{name: A, value: base}], volumeMounts: [{name: v, mountPath: /v}]}]}`,
			own: `{sidecars: [{name: b, image: z}, {name: a, image: "y", env: [{name: C, value: own}, {name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}],
				initContainers: [{name: i, image: x, volumeMounts: [{name: w, mountPath: /w}]}]}`,
			want: `{sidecars: [{name: a, image: "y", env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}, {name: B, value: base},
				{name: C, value: own}], probes: {liveness: {tcpSocket: {port: 1}}}}, {name: b, image: z}],
				initContainers: [{name: i, image: x, env: [{name: A, value: base}],
				volumeMounts: [{name: v, mountPath: /v}, {name: w, mountPath: /w}]}]}`,
		},
		"labels, annotations and node selectors are merged": {
			base: "{podLabels: {a: base, b: base}, podAnnotations: {a: base}, nodeSelector: {a: base}}",
			own:  "{podLabels: {b: own}, podAnnotations: {b: own}, nodeSelector: {a: own}}",
			want: "{podLabels: {a: base, b: own}, podAnnotations: {a: base, b: own}, nodeSelector: {a: own}}",
		},
		"what has no key is replaced": {
			base: `{envFrom: [{secretRef: {name: a}}], tolerations: [{key: a}, {key: b}], affinity: {nodeAffinity: {}},
				topologySpread: [{topologyKey: a, maxSkew: 1, whenUnsatisfiable: x}]}`,
			own: `{envFrom: [{configMapRef: {name: b}}], tolerations: [{key: c}], affinity: {podAffinity: {}},
				topologySpread: [{topologyKey: b, maxSkew: 1, whenUnsatisfiable: x}]}`,
			want: `{envFrom: [{configMapRef: {name: b}}], tolerations: [{key: c}], affinity: {podAffinity: {}},
				topologySpread: [{topologyKey: b, maxSkew: 1, whenUnsatisfiable: x}]}`,
		},
		"single values are replaced": {
			base: "{serviceAccountName: a, priorityClassName: a, disruption: {maxUnavailable: 1}}",
			own:  "{serviceAccountName: b, priorityClassName: b, disruption: {maxUnavailable: 50%}, paused: true}",
			want: "{serviceAccountName: b, priorityClassName: b, disruption: {maxUnavailable: 50%}, paused: true}",
		},
		"a patch is handed on as it is": {
			base: "{podTemplate: {spec: {hostname: base}}}",
			own:  "{podTemplate: {spec: {affinity: {$patch: delete}, hostAliases: [{$patch: replace}], tolerations: [{key: null}]}}}",
			want: "{podTemplate: {spec: {affinity: {$patch: delete}, hostAliases: [{$patch: replace}], tolerations: [{key: null}]}}}",
		},
		"a patch of the base stays": {
			base: "{podTemplate: {spec: {hostname: base}}}",
			own:  "{}",
			want: "{podTemplate: {spec: {hostname: base}}}",
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

// A default that is accepted and not merged would be ignored.
func TestEveryDefaultIsMerged(t *testing.T) {
	var defaults v1alpha1.ServiceDefaults
	var want v1alpha1.WorkloadSpec
	const all = `{env: [{name: A, value: x}], envFrom: [{secretRef: {name: a}}], resources: {requests: {cpu: 2}}, rollout: {maxSurge: 1},
		terminationGracePeriodSeconds: 9, nodeSelector: {a: b}, tolerations: [{key: a}], priorityClassName: low,
		topologySpread: [{topologyKey: a, maxSkew: 1, whenUnsatisfiable: x}], disruption: {maxUnavailable: 1},
		podLabels: {a: b}, podAnnotations: {a: b}, metrics: {port: a}}`
	decode(t, all, &defaults)
	decode(t, all, &want)
	for field, value := range reflect.ValueOf(defaults).Fields() {
		if value.IsZero() {
			t.Errorf("the test sets no %s", field.Name)
		}
	}
	got, err := merge(v1alpha1.WorkloadSpec{}, &defaults, v1alpha1.WorkloadSpec{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}
