package apply

import (
	"fmt"
	"regexp"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// autoscaling writes as this manager; the number of pods is its business.
const controllerManager = "kube-controller-manager"

// An Edit is a field of a wanted object that others had changed by hand, and
// that was set back.
type Edit struct {
	Kind, Name string
	// Path of the field, such as spec.env[0].value.
	Path string
	// Manager is who had changed it; empty when that is not known.
	Manager string
}

// changedByOthers ends the reason of a write that sets a field back.
const changedByOthers = " was changed by others"

// editOf is the edit behind the reason of a write, or nil: metadata, and what
// autoscalers do, are no edits.
func editOf(kind string, live client.Object, reason string) *Edit {
	path, drifted := strings.CutSuffix(reason, changedByOthers)
	if !drifted || strings.HasPrefix(path, "metadata") {
		return nil
	}
	e := &Edit{Kind: kind, Name: live.GetName(), Path: path, Manager: lastManager(live, path)}
	if e.Manager == controllerManager {
		return nil
	}
	return e
}

var index = regexp.MustCompile(`\[\d+\]`)

// lastManager is the last of the others who set the field; empty when it was
// only removed.
func lastManager(live client.Object, path string) string {
	path = index.ReplaceAllString(path, "")
	leaf := `"f:` + path[strings.LastIndex(path, ".")+1:] + `"`
	var last metav1.ManagedFieldsEntry
	for _, e := range live.GetManagedFields() {
		if !MayBeEdit(e) || e.FieldsV1 == nil || !strings.Contains(e.FieldsV1.GetRawString(), leaf) {
			continue
		}
		if last.Manager == "" || last.Time.Before(e.Time) {
			last = e
		}
	}
	return last.Manager
}

// MayBeEdit says whether somebody else than the operator owns specifications
// by an entry. Controllers of Kubernetes write status and annotations; of what
// they set in a specification only the scale counts.
func MayBeEdit(e metav1.ManagedFieldsEntry) bool {
	ours := strings.HasPrefix(e.Manager, FieldManager)
	return !ours && e.Subresource != "status" && (e.Manager != controllerManager || e.Subresource == "scale")
}

// Told is an edit in a sentence; instead is the field to change, or "".
func (e Edit) Told(instead string) string {
	by, advice := "", "the operator decides it"
	if e.Manager != "" {
		by = " by " + e.Manager
	}
	if instead != "" {
		advice = "change " + instead + " instead"
	}
	return fmt.Sprintf("%s %s: %s was changed%s and set back; %s", e.Kind, e.Name, e.Path, by, advice)
}
