package desired

import "strings"

// behind are the fields of a Microservice that decide fields of what is made
// for it; the first prefix that fits counts.
var behind = map[string][]struct{ path, field string }{
	"Deployment": {
		{"spec.replicas", "replicas"},
		{"spec.strategy", "rollout"},
		{"spec.progressDeadlineSeconds", "rollout.progressDeadlineSeconds"},
		{"spec.template.metadata.labels", "podLabels"},
		{"spec.template.metadata.annotations", "podAnnotations"},
		{"spec.template.spec.initContainers", "initContainers or sidecars"},
		{"spec.template.spec.topologySpreadConstraints", "topologySpread"},
		{"spec.template.spec.containers[0].image", "image"},
		{"spec.template.spec.containers[0].startupProbe", "probes.startup"},
		{"spec.template.spec.containers[0].readinessProbe", "probes.readiness"},
		{"spec.template.spec.containers[0].livenessProbe", "probes.liveness"},
		{"spec.template.", "podTemplate"},
	},
	"HorizontalPodAutoscaler": {{"spec.", "autoscaling"}},
	"PodDisruptionBudget":     {{"spec.", "disruption"}},
	"Service":                 {{"spec.ports", "ports"}},
	"NetworkPolicy":           {{"spec.", "network, calls or expose"}},
}

// sameName are the fields of a pod and of its main container that have their
// name in a Microservice, too.
var sameName = map[string][]string{
	"spec.template.spec.": {
		"imagePullSecrets", "terminationGracePeriodSeconds", "nodeSelector", "tolerations", "affinity",
		"priorityClassName", "serviceAccountName", "volumes",
	},
	"spec.template.spec.containers[0].": {"imagePullPolicy", "command", "args", "ports", "envFrom", "env", "resources", "volumeMounts"},
}

// FieldBehind is the field of a Microservice that decides a field of an object
// made for it, or "" when none does.
func FieldBehind(kind, path string) string {
	if kind == "Deployment" {
		for prefix, names := range sameName {
			rest, below := strings.CutPrefix(path, prefix)
			for _, name := range names {
				if below && top(rest) == name {
					return name
				}
			}
		}
	}
	for _, b := range behind[kind] {
		if strings.HasPrefix(path, b.path) {
			return b.field
		}
	}
	return ""
}

// top is the first name of a path.
func top(path string) string {
	if i := strings.IndexAny(path, ".["); i >= 0 {
		return path[:i]
	}
	return path
}
