package desired

import (
	"encoding/json"
	"slices"

	"github.com/streamplane/streamplane/api/v1alpha1"
	microservice "github.com/streamplane/streamplane/controllers/microservice/desired"
)

// HandedOver is a service whose Microservice a team writes.
type HandedOver struct {
	Name string
	// Microservice is the one that the platform made for it.
	Microservice string
	// Unused are the other fields of its entry, which have no effect.
	Unused []string
}

func (r row) handedOver(p *v1alpha1.StreamingPlatform) HandedOver {
	return HandedOver{Name: r.name, Microservice: microservice.Name(p.Name, r.name), Unused: unused(r.override)}
}

func unused(entry v1alpha1.PlatformService) []string {
	data, err := json.Marshal(entry)
	if err != nil {
		return nil // it was read from JSON
	}
	fields := map[string]json.RawMessage{}
	_ = json.Unmarshal(data, &fields) // an object by its type
	var names []string
	for name := range fields {
		if name != "name" && name != "managedBy" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func handedOver(p *v1alpha1.StreamingPlatform) map[string]bool {
	all := map[string]bool{}
	for _, s := range p.Spec.Services {
		if s.ManagedBy == v1alpha1.ManagedByTeam {
			all[s.Name] = true
		}
	}
	return all
}
