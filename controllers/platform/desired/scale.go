package desired

import (
	"slices"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	microservice "github.com/streamplane/streamplane/controllers/microservice/desired"
)

// KeepScale leaves the number of pods of services to those who set it: with
// autoscaling.mode External it is the platform's only until the Microservice is
// made. live are the Microservices as they are, by name. It returns those whose
// number nobody else has set yet.
func (p Platform) KeepScale(live map[string]v1alpha1.Microservice) []v1alpha1.Microservice {
	var unseeded []v1alpha1.Microservice
	for _, s := range p.Services {
		m, exists := live[s.Microservice.Name]
		if !exists || s.Problem != "" || !microservice.ScaledElsewhere(s.Microservice) {
			continue
		}
		switch external := microservice.ScaledElsewhere(&m); {
		case external && OthersScale(&m):
			s.Microservice.Spec.Replicas = nil
			continue
		case external:
			s.Microservice.Spec.Replicas = m.Spec.Replicas
			unseeded = append(unseeded, m)
		}
		s.Microservice.ResourceVersion = m.ResourceVersion // others may set the number meanwhile
	}
	return unseeded
}

// OthersScale says whether another manager than the platform's owns the number
// of pods of a Microservice.
func OthersScale(m *v1alpha1.Microservice) bool {
	return slices.ContainsFunc(apply.Owners(m, apply.ReplicasField), func(manager string) bool { return manager != apply.FieldManager })
}
