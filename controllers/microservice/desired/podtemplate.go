package desired

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	kjson "sigs.k8s.io/json"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/overlay"
)

const (
	// directive is the key of a strategic merge patch that says how to merge.
	directive = "$patch"
	remove    = "delete"
)

// Rejected names the field of the spec that makes pods which the operator or
// the restricted Pod Security Standard does not allow, and why, or returns "".
func Rejected(m *v1alpha1.Microservice, slot string) string {
	if m.Spec.PodTemplate == nil && m.Spec.PodAnnotations == nil {
		return "" // nothing else can break the standard
	}
	template, problem := podTemplate(m, slot)
	if problem != "" {
		return "podTemplate" + problem
	}
	if detail := Insecure(template); detail != "" {
		field := "podTemplate"
		if m.Spec.PodTemplate == nil {
			field = "podAnnotations"
		}
		return field + ": breaks the restricted Pod Security Standard: " + detail
	}
	return ""
}

// podTemplate is what the operator renders with the patch of the spec laid over
// it. It is the rendered one alone where the patch has a problem, which begins
// with the path inside the patch.
func podTemplate(m *v1alpha1.Microservice, slot string) (corev1.PodTemplateSpec, string) {
	rendered := renderedPod(m, slot)
	if m.Spec.PodTemplate == nil {
		return rendered, ""
	}
	fields, problem := decodePatch(m.Spec.PodTemplate.Raw)
	if problem != "" {
		return rendered, problem
	}
	patched, err := overlay.Lay(fields, rendered)
	if err != nil {
		return rendered, ": " + err.Error()
	}
	orderPod(&patched.Spec, rendered.Spec)
	if problem := takenOver(rendered, patched); problem != "" {
		return rendered, problem
	}
	return patched, ""
}

// decodePatch finds what is no field of a pod template or means nothing there,
// and returns the patch as the merge takes it.
func decodePatch(raw []byte) ([]byte, string) {
	var patch map[string]any
	if err := json.Unmarshal(raw, &patch); err != nil {
		return nil, ": " + err.Error()
	}
	if metadata, ok := patch["metadata"].(map[string]any); ok {
		for _, key := range slices.Sorted(maps.Keys(metadata)) {
			if !slices.Contains([]string{"labels", "annotations", directive}, key) {
				return nil, ".metadata." + key + ": pods get labels and annotations only"
			}
		}
	}
	if problem := findBelow(patch, "", badDirective); problem != "" {
		return nil, problem
	}
	fields, err := json.Marshal(withoutDirectives(patch))
	if err != nil {
		return nil, ": " + err.Error()
	}
	strict, err := kjson.UnmarshalStrict(fields, &corev1.PodTemplateSpec{})
	if err != nil {
		return nil, ": " + err.Error()
	}
	if len(strict) > 0 {
		return nil, ": " + strict[0].Error()
	}
	removeFields(patch)
	merge, err := json.Marshal(patch)
	if err != nil {
		return nil, ": " + err.Error()
	}
	return merge, ""
}

// badDirective finds a directive that the merge would not know, or would drop.
func badDirective(value any, path string) string {
	m, _ := value.(map[string]any)
	if how, found := m[directive]; found && how != remove && how != "replace" {
		return fmt.Sprintf("%s.%s: must be %s or replace", path, directive, remove)
	}
	return ""
}

// findBelow is the first complaint about a value or anything below it.
func findBelow(value any, path string, about func(value any, path string) string) string {
	if problem := about(value, path); problem != "" {
		return problem
	}
	switch value := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if problem := findBelow(value[key], path+"."+key, about); problem != "" {
				return problem
			}
		}
	case []any:
		for i, child := range value {
			if problem := findBelow(child, fmt.Sprintf("%s[%d]", path, i), about); problem != "" {
				return problem
			}
		}
	}
	return ""
}

func removes(value any) bool {
	m, ok := value.(map[string]any)
	return ok && m[directive] == remove
}

// withoutDirectives is what remains to be fields.
func withoutDirectives(value any) any {
	switch value := value.(type) {
	case map[string]any:
		kept := map[string]any{}
		for key, child := range value {
			if key != directive && !removes(child) {
				kept[key] = withoutDirectives(child)
			}
		}
		return kept
	case []any:
		kept := []any{}
		for _, child := range value {
			kept = append(kept, withoutDirectives(child))
		}
		return kept
	default:
		return value
	}
}

// removeFields turns the directive to remove a field into null: the merge knows
// the directive for elements of lists, and would leave an empty field.
func removeFields(value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, child := range value {
			if removes(child) {
				value[key] = nil
			} else {
				removeFields(child)
			}
		}
	case []any:
		for _, child := range value {
			removeFields(child)
		}
	}
}

// orderPod keeps the main container first, and variables behind those that
// they refer to.
func orderPod(patched *corev1.PodSpec, rendered corev1.PodSpec) {
	overlay.KeepOrder(patched.Volumes, rendered.Volumes, func(v corev1.Volume) string { return v.Name })
	orderContainers(patched.Containers, rendered.Containers)
	orderContainers(patched.InitContainers, rendered.InitContainers)
}

func orderContainers(patched, rendered []corev1.Container) {
	overlay.KeepOrder(patched, rendered, func(c corev1.Container) string { return c.Name })
	for _, was := range rendered {
		if is := container(patched, was.Name); is != nil {
			overlay.KeepOrder(is.Env, was.Env, func(v corev1.EnvVar) string { return v.Name })
			overlay.KeepOrder(is.VolumeMounts, was.VolumeMounts, func(v corev1.VolumeMount) string { return v.MountPath })
			overlay.KeepOrder(is.Ports, was.Ports, func(p corev1.ContainerPort) string { return p.Name })
		}
	}
}

func container(all []corev1.Container, name string) *corev1.Container {
	for i := range all {
		if all[i].Name == name {
			return &all[i]
		}
	}
	return nil
}

// takenOver finds what the operator depends on and the patch has changed.
func takenOver(rendered, patched corev1.PodTemplateSpec) string {
	for _, key := range slices.Sorted(maps.Keys(joined(rendered.Labels, patched.Labels))) {
		if ownLabel(key) && rendered.Labels[key] != patched.Labels[key] {
			return fmt.Sprintf(".metadata.labels[%s]: belongs to the operator", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(patched.Annotations)) {
		if strings.HasPrefix(key, ownPrefix) {
			return fmt.Sprintf(".metadata.annotations[%s]: belongs to the operator", key)
		}
	}
	if rendered.Spec.ServiceAccountName != patched.Spec.ServiceAccountName {
		return ".spec.serviceAccountName: set serviceAccountName of the service instead"
	}
	if patched.Spec.DeprecatedServiceAccount != "" {
		return ".spec.serviceAccount: set serviceAccountName of the service instead"
	}
	if FilesInUse(rendered) != FilesInUse(patched) {
		return fmt.Sprintf(".spec.volumes[%s]: set files of the service instead", filesVolumeName)
	}
	if problem := mainTakenOver(rendered.Spec.Containers, patched.Spec.Containers); problem != "" {
		return ".spec.containers" + problem
	}
	if problem := containersBroken(rendered.Spec.Containers, patched.Spec.Containers); problem != "" {
		return ".spec.containers" + problem
	}
	if problem := containersBroken(rendered.Spec.InitContainers, patched.Spec.InitContainers); problem != "" {
		return ".spec.initContainers" + problem
	}
	return ""
}

func joined(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// ownLabel says whether only the operator, or Kubernetes, sets a label of pods.
func ownLabel(key string) bool {
	return strings.HasPrefix(key, ownPrefix) || strings.HasPrefix(key, labelCalls) ||
		slices.Contains([]string{LabelName, LabelInstance, LabelPartOf, LabelManagedBy, "pod-template-hash"}, key)
}

func mainTakenOver(rendered, patched []corev1.Container) string {
	was, is := container(rendered, MainContainer), container(patched, MainContainer)
	switch {
	case is == nil:
		return fmt.Sprintf("[%s]: cannot be removed", MainContainer)
	case is.Image != was.Image:
		return fmt.Sprintf("[%s].image: set image of the service instead", MainContainer)
	case !equality.Semantic.DeepEqual(is.Ports, was.Ports):
		return fmt.Sprintf("[%s].ports: set ports of the service instead", MainContainer)
	default:
		return ""
	}
}

// containersBroken finds a container that is less secure than it was, or that
// is new and has no image: its name may be a slip.
func containersBroken(rendered, patched []corev1.Container) string {
	for _, is := range patched {
		was := container(rendered, is.Name)
		if was == nil && is.Image == "" {
			return fmt.Sprintf("[%s].image: required, because the pod has no container of that name yet", is.Name)
		}
		if was == nil {
			continue
		}
		if field := loosened(is.SecurityContext); field != "" {
			return fmt.Sprintf("[%s].securityContext.%s: cannot be loosened", is.Name, field)
		}
	}
	return ""
}

// loosened names the first field that is not as restricted() has it.
func loosened(is *corev1.SecurityContext) string {
	if is == nil {
		is = &corev1.SecurityContext{}
	}
	was := restricted()
	for _, f := range []struct {
		name    string
		is, was any
	}{
		{"allowPrivilegeEscalation", is.AllowPrivilegeEscalation, was.AllowPrivilegeEscalation},
		{"capabilities", is.Capabilities, was.Capabilities},
		{"readOnlyRootFilesystem", is.ReadOnlyRootFilesystem, was.ReadOnlyRootFilesystem},
		{"runAsNonRoot", is.RunAsNonRoot, was.RunAsNonRoot},
	} {
		if !equality.Semantic.DeepEqual(f.is, f.was) {
			return f.name
		}
	}
	return ""
}
