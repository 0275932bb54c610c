package microservice

import (
	"fmt"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/membership"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// adviceOn says of each edit that was set back which field to change instead.
func adviceOn(m *v1alpha1.Microservice, edits []apply.Edit) []string {
	var all []string
	for _, e := range edits {
		all = append(all, e.Told(instead(m, desired.FieldBehind(e.Kind, e.Path))))
	}
	return all
}

// instead is where people write a field: in the platform, or in the Microservice
// that they wrote.
func instead(m *v1alpha1.Microservice, field string) string {
	switch {
	case field == "":
		return ""
	case membership.IsTeams(m):
		return fmt.Sprintf("spec.%s of Microservice %s", field, m.Name)
	default:
		return fmt.Sprintf("spec.services[name=%s].%s of StreamingPlatform %s", desired.ServiceName(m), field, m.Spec.PlatformRef.Name)
	}
}
