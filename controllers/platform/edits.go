package platform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/platform/desired"
)

// fixed are the fields of a Microservice that an entry of a platform has not.
var fixed = []string{"platformRef", "serviceName", "routes"}

// adviceOn says of each edit of a Microservice which field to change instead.
func adviceOn(p *v1alpha1.StreamingPlatform, wanted desired.Platform, edits []apply.Edit) []string {
	var all []string
	for _, e := range edits {
		i := slices.IndexFunc(wanted.Services, func(s desired.Service) bool { return s.Microservice.Name == e.Name })
		field, _, _ := strings.Cut(strings.TrimPrefix(e.Path, "spec."), "[") // lists are merged by key, not by place
		instead := ""
		if top, _, _ := strings.Cut(field, "."); i >= 0 && !slices.Contains(fixed, top) {
			instead = fmt.Sprintf("spec.services[name=%s].%s of StreamingPlatform %s", wanted.Services[i].Name, field, p.Name)
		}
		all = append(all, e.Told(instead))
	}
	return all
}
